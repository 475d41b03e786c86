// The entries of the palette. A command that ends something asks first.
import { asking } from "../lib/asking.svelte";
import { intents } from "../lib/intents";
import { modKey } from "../lib/keys";
import { overlay } from "../lib/overlay.svelte";
import { type NamedPage, router } from "../lib/router.svelte";
import { truth } from "../lib/store.svelte";
import { t } from "../lib/strings";
import type { Theme } from "../lib/types/Theme";
import { PAGE_KEYS } from "./shortcuts";

export type PaletteEntry = {
  id: string;
  group: "pages" | "hosts" | "commands";
  name: string;
  /** The text beside the name: an address, a state, or that the command asks first. */
  note: string;
  /** The keys that do the same on every page. */
  keys?: string[] | undefined;
  /** Whether the entry is found only by typing, because there is one such entry for each host. */
  rare?: true;
  run: () => unknown;
};

const words = t.shell.palette;

function pages(): PaletteEntry[] {
  const all: NamedPage[] = ["network", "flows", "log", "manifest", "policy", "welcome", "machine", "settings"];
  return all.map((page) => ({
    id: `page ${page}`,
    group: "pages",
    name: t.shell.nav.pages[page],
    note: "",
    keys: keysOf(page),
    run: () => router.go(page),
  }));
}

function keysOf(page: NamedPage): string[] | undefined {
  const key = Object.keys(PAGE_KEYS).find((key) => PAGE_KEYS[key] === page);
  return key === undefined ? undefined : [modKey(truth.app?.platform), key];
}

function hosts(): PaletteEntry[] {
  return truth.hosts.map((host) => ({
    id: `host ${host.name}`,
    group: "hosts",
    name: host.name,
    note: `${host.vip} · ${t.states.word[host.state]}`,
    run: () => router.go("host", host.name),
  }));
}

function commands(): PaletteEntry[] {
  const app = truth.app;
  const found: PaletteEntry[] = [];
  const add = (name: string, run: () => unknown, note = "", keys?: string[]) => found.push({ id: `command ${name}`, group: "commands", name, note, keys, run });
  if (app?.network) {
    add(t.shell.header.reload, intents.reload, "", [modKey(app.platform), "Shift", "R"]);
    add(words.why, () => overlay.open("why"));
    if (!app.network.hosted) {
      add(t.shell.header.detach, intents.detach);
    }
    add(t.shell.header.stop, intents.stop, words.asks);
  } else if (app?.manifest && !app.consent) {
    add(t.shell.header.start, intents.start);
  }
  for (const host of truth.hosts) {
    const one = (name: string, run: () => unknown, note = "") => found.push({ id: `command ${name}`, group: "commands", name, note, rare: true, run });
    const [prompt] = host.prompts;
    if (prompt !== undefined) {
      one(words.answer(host.name), () => asking.open(host.name, prompt.id));
    }
    one(words.copyAddress(host.name), () => intents.copy(host.vip, t.host.address), host.vip);
    one(words.copyName(host.name), () => intents.copy(host.name, t.host.name));
    one(words.log(host.name), () => router.go("log", undefined, { host: host.name }));
    if (host.state === "stopped" || host.state === "refused") {
      one(words.startHost(host.name), () => intents.startHost(host.name));
    } else {
      one(words.restart(host.name), () => intents.restartHost(host), host.traffic.flows > 0 ? words.asks : "");
      one(words.stopHost(host.name), () => intents.stopHost(host), words.asks);
    }
  }
  add(words.openFile, intents.openDialog);
  add(words.openDemo, intents.openDemo);
  for (const theme of ["light", "dark", "system"] satisfies Theme[]) {
    if (app && app.settings.theme !== theme) {
      add(words.theme[theme], () => intents.settings({ theme }));
    }
  }
  add(words.shortcuts, () => overlay.open("shortcuts"), "", ["?"]);
  add(words.quit, intents.quit, app?.network?.hosted ? words.asks : "");
  return found;
}

export function entries(): PaletteEntry[] {
  return [...pages(), ...hosts(), ...commands()];
}

/**
 * The entries that match the typed text, with the best ones first in each group: entries that begin with the text, then
 * entries that contain it, and then entries that contain its letters in order.
 */
export function matching(all: PaletteEntry[], typed: string): PaletteEntry[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") {
    return all.filter((entry) => entry.rare !== true);
  }
  const ranked = all
    .map((entry) => ({ entry, rank: rank(entry, wanted) }))
    .filter(({ rank }) => rank !== null) as { entry: PaletteEntry; rank: number }[];
  const groups = ["pages", "hosts", "commands"];
  ranked.sort((a, b) => groups.indexOf(a.entry.group) - groups.indexOf(b.entry.group) || a.rank - b.rank);
  return ranked.map(({ entry }) => entry);
}

function rank(entry: PaletteEntry, wanted: string): number | null {
  const name = entry.name.toLowerCase();
  if (name.startsWith(wanted)) {
    return 0;
  }
  if (name.includes(wanted)) {
    return 1;
  }
  if (entry.note.toLowerCase().includes(wanted)) {
    return 2;
  }
  return inOrder(name, wanted) ? 3 : null;
}

function inOrder(name: string, wanted: string): boolean {
  let at = -1;
  return [...wanted].every((letter) => (at = name.indexOf(letter, at + 1)) >= 0);
}
