// The actions for a host. They are in its menu in the diagram and in the list.
import { pageOf } from "../../lib/copies";
import { shellLine } from "../../lib/format";
import { intents } from "../../lib/intents";
import type { MenuItem } from "../../lib/menu.svelte";
import { plan } from "../../lib/plan.svelte";
import { router } from "../../lib/router.svelte";
import { truth } from "../../lib/store.svelte";
import { t } from "../../lib/strings";
import { isUp } from "../../lib/truth";
import type { HostView } from "../../lib/types/HostView";

export function hostMenu(host: HostView): MenuItem[][] {
  const words = t.network.menu;
  const command = plan.host(host.name)?.command ?? [];
  const copy = (label: string, text: string): MenuItem => ({ label, detail: text, choose: () => void intents.copy(text, text) });
  const isOver = host.state === "stopped" || host.state === "refused" || host.state === "waiting";
  const start = { label: host.state === "waiting" ? words.retry : words.start, choose: () => void intents.startHost(host.name) };
  const restart = { label: words.restart, choose: () => void intents.restartHost(host) };
  const stop = { label: words.stop, danger: true, choose: () => void intents.stopHost(host) };
  const pages = (plan.host(host.name)?.publishes ?? []).flatMap((port): MenuItem[] => {
    const page = isUp(host) ? pageOf(host.vip, port) : null;
    return page === null ? [] : [{ label: words.browser(port.port), detail: page, choose: () => void intents.openUrl(page) }];
  });
  return [
    pages,
    [
      { label: words.open, hint: "Enter", choose: () => router.go("host", host.name) },
      { label: words.flows, choose: () => router.go("flows", undefined, { host: host.name }) },
      { label: words.log, choose: () => router.go("log", undefined, { host: host.name }) },
      ...(truth.app?.manifest ? [{ label: words.edit, choose: () => router.go("manifest", undefined, { host: host.name }) }] : []),
    ],
    [copy(words.name, host.name), copy(words.address, host.vip), ...(command.length > 0 ? [copy(words.command, shellLine(command))] : [])],
    [...(host.held === undefined && isOver ? [start] : []), ...(isOver ? [] : [restart]), ...(host.state === "stopped" ? [] : [stop])],
  ].filter((group) => group.length > 0);
}
