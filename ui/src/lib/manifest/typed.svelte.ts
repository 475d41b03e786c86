// Texts that were typed into the fields of forms and that are not in the manifest yet, for example because they are not
// valid, and rules, tests and groups that are not complete yet. They are kept while something else is shown, so that
// nothing is lost.
import { SvelteMap } from "svelte/reactivity";

import type { EditRequest } from "../types/EditRequest";
import { type Listed, type ListName, policyOf } from "./policyText";
import { routeAfter } from "./selection.svelte";
import type { Renaming } from "./timeline";

export const typed = new SvelteMap<string, string>();

type Items = Record<ListName, Record<string, string[]>>;

const FIRST: Items = { rules: { action: ["allow"] }, tests: { expect: ["allow"] } };

/** The rule, the test and the group that are not complete yet, and therefore not in the manifest. */
class NewParts {
  items = $state.raw(FIRST);
  groupName = $state("");
  groupHost = $state("");

  set(list: ListName, key: string, words: string[]): void {
    this.items = { ...this.items, [list]: { ...this.items[list], [key]: words } };
  }

  clear(list: ListName): void {
    this.items = { ...this.items, [list]: FIRST[list] };
  }

  rename(from: string, to: string): void {
    // The destination of a test has a port behind its host.
    const renamed = (word: string) => (word === from ? to : word.startsWith(`${from}:`) ? to + word.slice(from.length) : word);
    const all = (item: Record<string, string[]>) => Object.fromEntries(Object.entries(item).map(([key, words]) => [key, words.map(renamed)]));
    this.items = { rules: all(this.items.rules), tests: all(this.items.tests) };
    this.groupHost = renamed(this.groupHost);
  }
}

export const newParts = new NewParts();

/** Forgets everything, because another file is open. */
export function forgetTyped(): void {
  typed.clear();
  newParts.items = FIRST;
  newParts.groupName = "";
  newParts.groupHost = "";
}

/** Moves texts to other keys. A text whose new key is null is forgotten. */
function move(newKey: (key: string, text: string) => string | null): void {
  const moved = [...typed].map(([key, text]) => ({ key, text, to: newKey(key, text) })).filter(({ key, to }) => key !== to);
  moved.forEach(({ key }) => typed.delete(key));
  moved.forEach(({ to, text }) => to !== null && typed.set(to, text));
}

/**
 * Moves the texts of renamed hosts to their new names. A typed name that the host has now is forgotten, because it is
 * in the manifest.
 */
export function renameTyped(renamings: readonly Renaming[]): void {
  for (const [from, to] of renamings) {
    newParts.rename(from, to);
    const begin = `host ${from} `;
    move((key, text) => (!key.startsWith(begin) ? key : key === `${begin}name` && text.trim() === to ? null : `host ${to} ${key.slice(begin.length)}`));
  }
}

/** Moves the texts of routes to the new numbers of these routes. The texts of a removed route are forgotten. */
export function followTyped(edits: readonly EditRequest[]): void {
  for (const edit of edits) {
    move((key) => {
      const [, number, field] = /^route (\d+) ([^]*)$/.exec(key) ?? [];
      const route = number === undefined ? null : routeAfter(Number(number), edit);
      return number === undefined ? key : route === null ? null : `route ${route} ${field}`;
    });
  }
}

/** The keys of texts about a rule or a test, which is named by its number. */
const NUMBERED = /^policy (rule|test) (\d+) ([^]*)$/;

/** The text in which the rules and tests of these keys were counted; null if that is the present text. */
let counted: string | null = null;

/**
 * Moves the texts of rules and tests to the new numbers of these, whatever has changed the text. The texts of rules and
 * tests that are gone are forgotten.
 */
export function followPolicy(before: string, after: string): void {
  if (![...typed.keys()].some((key) => NUMBERED.test(key))) {
    counted = null;
    return;
  }
  counted ??= before;
  // Reading a policy takes long in a long text, and this is called whenever a letter is typed.
  if (policyPart(counted) === policyPart(after)) {
    return;
  }
  const now = policyOf(after);
  if (now === "unusual") {
    return;
  }
  const old = policyOf(counted);
  counted = null;
  const places = (list: ListName) => placesOf(old === "unusual" ? [] : (old?.[list] ?? []), now?.[list] ?? []);
  const all = { rule: places("rules"), test: places("tests") };
  move((key) => {
    const [, kind, number, field] = NUMBERED.exec(key) ?? [];
    const place = kind === undefined ? null : (all[kind as keyof typeof all][Number(number)] ?? null);
    return kind === undefined ? key : place === null ? null : `policy ${kind} ${place} ${field}`;
  });
}

/** The text from its policy on; the whole text if the policy does not begin in a line of its own. */
function policyPart(text: string): string {
  return text.slice(Math.max(0, text.search(/^policy\s*:/m)));
}

/** The new place of each item of a list; null if the item is gone. */
function placesOf(old: readonly Listed[], now: readonly Listed[]): (number | null)[] {
  const says = ({ values, others }: Listed) => JSON.stringify([values, others]);
  const [a, b] = [old.map(says), now.map(says)];
  const most = Math.min(a.length, b.length);
  let head = 0;
  while (head < most && a[head] === b[head]) {
    head += 1;
  }
  let tail = 0;
  while (tail < most - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) {
    tail += 1;
  }
  const left = new Set(b.flatMap((_, at) => (at >= head && at < b.length - tail ? [at] : [])));
  const places = a.map((one, at) => {
    const place = at < head ? at : at >= a.length - tail ? at + b.length - a.length : ([...left].find((other) => b[other] === one) ?? null);
    left.delete(place ?? -1);
    return place;
  });
  // An item that is in neither list as it is in the other one was changed in its place.
  return places.map((place, at) => place ?? (a.length === b.length && left.has(at) ? at : null));
}
