// The entries of the palette. A command that ends something asks before it acts.
import { asking } from "../lib/asking.svelte";
import { pageOf } from "../lib/copies";
import { intents } from "../lib/intents";
import { ipc } from "../lib/ipc";
import { modKey } from "../lib/keys";
import { overlay } from "../lib/overlay.svelte";
import { plan } from "../lib/plan.svelte";
import { type NamedPage, router } from "../lib/router.svelte";
import { truth } from "../lib/store.svelte";
import { t } from "../lib/strings";
import { act } from "../lib/toasts.svelte";
import { isUp } from "../lib/truth";
import type { HostView } from "../lib/types/HostView";
import type { Theme } from "../lib/types/Theme";
import { PAGE_KEYS } from "./shortcuts";

export type PaletteEntry = {
  id: string;
  group: "pages" | "hosts" | "commands";
  name: string;
  /** The text beside the name: an address, a state, or the remark that the command asks before it acts. */
  note: string;
  /** The keys that do the same on every page. */
  keys?: string[] | undefined;
  /** Whether the entry is found only by typing. There is one such entry for each host. */
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

/** A command. `note` is the text beside its name. */
function command(name: string, run: () => unknown, note = "", keys?: string[]): PaletteEntry {
  return { id: `command ${name}`, group: "commands", name, note, keys, run };
}

function commands(): PaletteEntry[] {
  const app = truth.app;
  const found: PaletteEntry[] = [];
  if (app?.network) {
    found.push(command(t.shell.header.reload, intents.reload, "", [modKey(app.platform), "Shift", "R"]));
    found.push(command(words.why, () => overlay.open("why")));
    if (plan.view?.hosts.some((host) => host.http || host.socks)) {
      found.push(command(words.copyProxies, copyProxies));
    }
    if (!app.network.hosted) {
      found.push(command(t.shell.header.detach, intents.detach));
    }
    found.push(command(t.shell.header.stop, intents.stop, words.asks));
  } else if (app?.manifest && !app.consent) {
    found.push(command(t.shell.header.start, intents.start));
  }
  found.push(...truth.hosts.flatMap(commandsOf).map((entry): PaletteEntry => ({ ...entry, rare: true })));
  found.push(command(words.openFile, intents.openDialog), command(words.openDemo, intents.openDemo));
  for (const theme of ["light", "dark", "system"] satisfies Theme[]) {
    if (app && app.settings.theme !== theme) {
      found.push(command(words.theme[theme], () => intents.settings({ theme })));
    }
  }
  found.push(command(words.shortcuts, () => overlay.open("shortcuts"), "", ["?"]));
  found.push(command(words.quit, intents.quit, app?.network?.hosted ? words.asks : ""));
  return found;
}

/**
 * The commands for one host. The first ones are those that the host waits for. Then come those for its ports and texts,
 * and last those that change its state.
 */
function commandsOf(host: HostView): PaletteEntry[] {
  const { name, vip, held, prompts, state } = host;
  const found: PaletteEntry[] = [];
  const [prompt] = prompts;
  if (prompt !== undefined) {
    found.push(command(words.answer(name), () => asking.open(name, prompt.id)));
  }
  if (held !== undefined) {
    found.push(command(words.approve(name), () => router.go("host", name)));
  }
  for (const port of plan.host(name)?.publishes ?? []) {
    const page = pageOf(vip, port);
    if (page !== null && isUp(host)) {
      found.push(command(words.openPort(`${name}:${port.port}`), () => intents.openUrl(page), page));
    }
    found.push(command(words.copyPort(`${name}:${port.port}`), () => intents.copy(`${vip}:${port.port}`, `${vip}:${port.port}`), `${vip}:${port.port}`));
  }
  found.push(command(words.copyAddress(name), () => intents.copy(vip, t.host.address), vip));
  found.push(command(words.copyName(name), () => intents.copy(name, t.host.name)));
  found.push(command(words.flows(name), () => router.go("flows", undefined, { host: name })));
  found.push(command(words.log(name), () => router.go("log", undefined, { host: name })));
  if (truth.app?.manifest) {
    found.push(command(words.edit(name), () => router.go("manifest", undefined, { host: name })));
  }
  if (state === "stopped" || state === "refused" || state === "waiting") {
    found.push(command(state === "waiting" ? words.retry(name) : words.startHost(name), () => intents.startHost(name)));
  } else {
    found.push(command(words.restart(name), () => intents.restartHost(host), host.traffic.flows > 0 ? words.asks : ""));
  }
  if (state !== "stopped" && state !== "refused") {
    found.push(command(words.stopHost(name), () => intents.stopHost(host), words.asks));
  }
  return found;
}

/** Copies the variables of the proxies for the usual shell of this system. */
async function copyProxies(): Promise<void> {
  const shell = truth.app?.platform === "windows" ? "powershell" : "posix";
  const script = await act(ipc.envScript(shell, null), null, t.settings.proxies.failed);
  if (script !== undefined) {
    await intents.copy(script, t.settings.proxies.what);
  }
}

export function entries(): PaletteEntry[] {
  return [...pages(), ...hosts(), ...commands()];
}

/**
 * The entries that match the typed text. In each group, the best ones come first: the entry that is equal to the text,
 * then entries that begin with it, those that contain it, and those that contain its letters in order.
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
  if (name === wanted) {
    return 0;
  }
  if (name.startsWith(wanted)) {
    return 1;
  }
  if (name.includes(wanted)) {
    return 2;
  }
  if (entry.note.toLowerCase().includes(wanted)) {
    return 3;
  }
  return inOrder(name, wanted) ? 4 : null;
}

function inOrder(name: string, wanted: string): boolean {
  let at = -1;
  return [...wanted].every((letter) => (at = name.indexOf(letter, at + 1)) >= 0);
}
