// The content of the picture: one card for each host, and one cloud for each route. It is made from the outline of the
// text. A card or cloud that has not changed since the last picture is the same object, so that it is not drawn again.
import { shellLine } from "../../../lib/format";
import { ownerKey } from "../../../lib/manifest/outlineFields";
import type { Effect } from "../../../lib/types/Effect";
import type { FieldOutline } from "../../../lib/types/FieldOutline";
import type { HostOutline } from "../../../lib/types/HostOutline";
import type { ItemOutline } from "../../../lib/types/ItemOutline";
import type { Origin } from "../../../lib/types/Origin";
import type { Outline } from "../../../lib/types/Outline";
import type { Problem } from "../../../lib/types/Problem";
import { rivals } from "./overlap";
import { sameHost, sameList, sameMeaning } from "./same";

/** How saving would change a host or a route of the saved file. */
export type Change = "added" | "changed" | "removed";

/** A published port, on the card of its host. `number` is its position among the ports of the host, from 0. */
export type Socket = { number: number; text: string; port: string; to: string; origin: Origin["kind"]; with: string[]; isNew: boolean };

/**
 * The target of a host: the text that can be edited in place, and the field of the manifest that contains this text.
 */
export type Target = { text: string; field: string; item: number | null; origin: Origin["kind"]; with: string[] };

export type Card = {
  name: string;
  vip: string;
  /** Whether the address is written in the text. Otherwise it was assigned. */
  isWritten: boolean;
  way: HostOutline["way"];
  target: Target | null;
  /** The whole command. It is shown while the pointer is on the card. */
  command: string;
  sockets: Socket[];
  change: Change | null;
  /** The fields that differ from the saved file. */
  changed: string[];
  restarts: boolean;
  problem: { severity: Problem["severity"]; message: string } | null;
};

export type Chip = { number: number; text: string; isNew: boolean };

/** A route, as a cloud behind its gateways. `at` is its number in the order of the file, from 0. */
export type Cloud = {
  at: number;
  key: string;
  /** The hosts that the route leads through. The first one that is up is used. */
  gateways: string[];
  /** The gateways in the text for which the manifest has no host. */
  lost: string[];
  via: string[];
  to: Chip[];
  notTo: Chip[];
  change: Change | null;
  /** The numbers of the routes that could match the same destinations. */
  rivals: number[];
  problem: Card["problem"];
};

export type Picture = { cards: Card[]; clouds: Cloud[] };

export type Sources = {
  outline: Outline;
  /** The outline of the saved file; `null` if it cannot be read or is not known yet. */
  saved: Outline | null;
  effect: Effect | null;
  problems: readonly Problem[];
};

/** A card, with everything that it was made from. As long as these do not change, the card is kept. */
type Drawn = { host: HostOutline; before: HostOutline | undefined; isKnown: boolean; restarts: boolean; problem: Card["problem"]; card: Card };

/** Makes pictures one after the other, and keeps the objects that have not changed. */
export class Drawer {
  #cards = new Map<string, Drawn>();
  #clouds = new Map<string, { said: string; cloud: Cloud }>();
  #last: Picture = { cards: [], clouds: [] };
  #rivals: { said: string; found: number[][] } = { said: "", found: [] };
  #saved: { outline: Outline | null; hosts: Map<string, HostOutline> } = { outline: null, hosts: new Map() };

  draw(sources: Sources): Picture {
    const { outline, saved, effect, problems } = sources;
    if (saved !== this.#saved.outline) {
      this.#saved = { outline: saved, hosts: new Map(saved?.hosts.map((host) => [host.name, host])) };
    }
    const restarting = new Set(effect?.lines.filter((line) => line.kind === "restart").map((line) => line.host ?? ""));
    const wrong = worstProblems(problems);
    const drawn = outline.hosts.map((host) => this.#drawn({ host, before: this.#saved.hosts.get(host.name), isKnown: saved !== null, restarts: restarting.has(host.name), problem: wrong.get(ownerKey({ kind: "host", name: host.name })) ?? null }));
    const present = new Set(outline.hosts.map((host) => host.name));
    const gone = saved?.hosts.filter((host) => !present.has(host.name)) ?? [];
    drawn.push(...gone.map((host) => this.#drawn({ host, before: host, isKnown: false, restarts: false, problem: null }, true)));
    this.#cards = new Map(drawn.map((one) => [one.host.name, one]));
    const next = { cards: same(this.#last.cards, drawn.map(({ card }) => card)), clouds: same(this.#last.clouds, this.#drawClouds(sources, wrong)) };
    this.#last = next.cards === this.#last.cards && next.clouds === this.#last.clouds ? this.#last : next;
    return this.#last;
  }

  /** The card of a host. If nothing that the card is made from has changed, returns the card of the last picture. */
  #drawn(now: Omit<Drawn, "card">, isGone = false): Drawn {
    const old = this.#cards.get(now.host.name);
    const isSame =
      old !== undefined &&
      (old.card.change === "removed") === isGone &&
      old.isKnown === now.isKnown &&
      old.restarts === now.restarts &&
      old.problem?.message === now.problem?.message &&
      old.problem?.severity === now.problem?.severity &&
      (old.before === now.before || (old.before !== undefined && now.before !== undefined && sameMeaning(old.before, now.before))) &&
      sameHost(old.host, now.host);
    return isSame ? { ...now, card: old.card } : { ...now, card: isGone ? cardOf(now.host, "removed", [], new Set(), false, null) : comparedCard(now) };
  }

  #drawClouds({ outline, saved }: Sources, wrong: ReadonlyMap<string, Card["problem"]>): Cloud[] {
    const patterns = outline.routes.map((route) => ({ to: texts(field(route, "to")), notTo: texts(field(route, "notTo")) }));
    const asked = JSON.stringify(patterns);
    if (asked !== this.#rivals.said) {
      this.#rivals = { said: asked, found: rivals(patterns) };
    }
    const names = namesOf(outline.hosts);
    const clouds = outline.routes.map((route, at) => cloudOf(route, at, names, savedRoute(saved, route), this.#rivals.found[at] ?? [], wrong.get(ownerKey({ kind: "item", list: "routes", at })) ?? null));
    const kept = clouds.map((cloud) => {
      const said = JSON.stringify(cloud);
      const before = this.#clouds.get(cloud.key);
      return before?.said === said ? before : { said, cloud };
    });
    this.#clouds = new Map(kept.map((one) => [one.cloud.key, one]));
    return kept.map(({ cloud }) => cloud);
  }
}

function same<T>(before: T[], now: T[]): T[] {
  return sameList(before, now) ? before : now;
}

/** The field of a host or a route. */
export function field(of: { fields: readonly FieldOutline[] }, name: string): FieldOutline | undefined {
  return of.fields.find((one) => one.field === name);
}

/** The texts of a field, whether it is a list, one text or not set. */
export function texts(one: FieldOutline | undefined): string[] {
  return Array.isArray(one?.value) ? one.value : typeof one?.value === "string" ? [one.value] : [];
}

/** The card of a host, compared with the host in the saved file. */
function comparedCard({ host, before, isKnown, restarts, problem }: Omit<Drawn, "card">): Card {
  if (!isKnown || before === undefined) {
    return cardOf(host, isKnown ? "added" : null, [], isKnown ? null : new Set(), restarts, problem);
  }
  const changed = sameMeaning(before, host) ? [] : changedFields(before, host);
  const ports = new Set(texts(field(before, "ports")));
  const fresh = texts(field(host, "ports")).filter((port) => !ports.has(port));
  return cardOf(host, changed.length > 0 ? "changed" : null, changed, new Set(fresh), restarts, problem);
}

function changedFields(before: HostOutline, now: HostOutline): string[] {
  const said = (host: HostOutline) => new Map([["vip", JSON.stringify(host.vip)], ...host.fields.filter((one) => one.field !== "vip").map((one): [string, string] => [one.field, JSON.stringify(one.value)])]);
  const [old, fresh] = [said(before), said(now)];
  return [...new Set([...old.keys(), ...fresh.keys()])].filter((name) => old.get(name) !== fresh.get(name));
}

/** Makes a card. `fresh` are the ports that the saved file does not have; `null` if all ports are new. */
function cardOf(host: HostOutline, change: Change | null, changed: string[], fresh: ReadonlySet<string> | null, restarts: boolean, problem: Card["problem"]): Card {
  const ports = field(host, "ports");
  return {
    name: host.name,
    vip: host.vip,
    isWritten: field(host, "vip") !== undefined,
    way: host.way,
    target: targetOf(host),
    command: shellLine(host.argv),
    sockets: texts(ports).map((text, number): Socket => {
      const origin = ports?.items?.[number] ?? ports?.origin;
      const [, port = text, to = ""] = /^(\d+):(.*)$/.exec(text) ?? [];
      return { number, text, port, to: shortTarget(to), origin: origin?.kind ?? "own", with: origin?.kind === "shared" ? origin.with : [], isNew: fresh?.has(text) ?? false };
    }),
    change,
    changed,
    restarts,
    problem,
  };
}

/** The short form of a target: only the port if the target is the host itself. */
function shortTarget(to: string): string {
  return to.replace(/^(127\.0\.0\.1|localhost|\[::1\]):/, "").replace(/\/tcp$/, "");
}

const TARGETS = ["pod", "deployment", "selector", "service"];

/** The target of a host; `null` for this machine. */
export function targetOf(host: HostOutline): Target | null {
  const one = field(host, host.way) ?? TARGETS.map((part) => field(host, `${host.way}.${part}`)).find((found) => found !== undefined);
  if (one === undefined || host.way === "local") {
    return null;
  }
  const shared = one.origin.kind === "shared" ? one.origin.with : [];
  const told = { field: one.field, origin: one.origin.kind, with: shared };
  if (Array.isArray(one.value)) {
    // As a list, `ssh` has its options first and its destination last.
    const isSsh = host.way === "ssh";
    return { ...told, text: isSsh ? (one.value.at(-1) ?? "") : shellLine(one.value), item: isSsh ? one.value.length - 1 : null };
  }
  return { ...told, text: typeof one.value === "string" ? one.value : "", item: null };
}

/** The host for each name, alias and address, in lower case. */
function namesOf(hosts: readonly HostOutline[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const host of hosts) {
    for (const name of [host.vip, ...texts(field(host, "aliases")), host.name]) {
      found.set(name.toLowerCase(), host.name);
    }
  }
  return found;
}

function cloudOf(route: ItemOutline, at: number, names: ReadonlyMap<string, string>, saved: ItemOutline | "none" | null, rivals: number[], problem: Card["problem"]): Cloud {
  const via = texts(field(route, "via"));
  const found = via.map((name) => names.get(name.toLowerCase()));
  const chips = (name: "to" | "notTo") => {
    const before = typeof saved === "object" && saved !== null ? texts(field(saved, name)) : null;
    return texts(field(route, name)).map((text, number): Chip => ({ number, text, isNew: saved === "none" || (before !== null && !before.includes(text)) }));
  };
  const said = (of: ItemOutline) => JSON.stringify(["via", "to", "notTo"].map((name) => texts(field(of, name))));
  return {
    at,
    key: String(at),
    gateways: found.filter((name) => name !== undefined),
    lost: via.filter((_, number) => found[number] === undefined),
    via,
    to: chips("to"),
    notTo: chips("notTo"),
    change: saved === "none" ? "added" : saved !== null && said(saved) !== said(route) ? "changed" : null,
    rivals,
    problem,
  };
}

/**
 * The route of the saved file from which a route was made: an equal one, or else one with the same gateways or
 * patterns. "none" if there is no such route; `null` if the saved file is not known.
 */
function savedRoute(saved: Outline | null, route: ItemOutline): ItemOutline | "none" | null {
  if (saved === null) {
    return null;
  }
  const said = (of: ItemOutline, names: string[]) => JSON.stringify(names.map((name) => texts(field(of, name))));
  for (const names of [["via", "to", "notTo"], ["via", "to"], ["to", "notTo"], ["via"]]) {
    const found = saved.routes.find((one) => said(one, names) === said(route, names));
    if (found !== undefined) {
      return found;
    }
  }
  return "none";
}

/** The most severe problem of each part of the manifest. Notes do not count. */
function worstProblems(problems: readonly Problem[]): Map<string, Card["problem"]> {
  const found = new Map<string, Card["problem"]>();
  for (const { place, severity, message } of problems) {
    const key = place === null ? null : ownerKey(place.owner);
    if (key !== null && severity !== "note" && (severity === "error" || !found.has(key)) && found.get(key)?.severity !== "error") {
      found.set(key, { severity, message });
    }
  }
  return found;
}
