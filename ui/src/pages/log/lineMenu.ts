// The actions for a line of the log.
import { intents } from "../../lib/intents";
import { asText, type LogText } from "../../lib/logText";
import type { MenuItem } from "../../lib/menu.svelte";
import { router } from "../../lib/router.svelte";
import { truth } from "../../lib/store.svelte";
import { t } from "../../lib/strings";
import { logModel } from "./log.svelte";

export function lineMenu(line: LogText): MenuItem[][] {
  const words = t.log.menu;
  const { host } = line;
  const about: MenuItem[] = [];
  if (logModel.host !== null) {
    about.push({ label: words.all, choose: () => (logModel.host = null) });
  } else {
    about.push({ label: words.only(host ?? t.log.manager), choose: () => (logModel.host = host ?? "") });
  }
  if (host !== null && truth.host(host) !== undefined) {
    about.push({ label: words.host(host), choose: () => router.go("host", host) });
  }
  return [
    [
      { label: words.copy, choose: () => void intents.copy(line.text, words.copied) },
      { label: words.copyAll, choose: () => void intents.copy(asText(logModel.log.shown), words.copiedAll) },
    ],
    about,
    [{ label: words.search, choose: () => (logModel.query = line.text) }],
  ];
}
