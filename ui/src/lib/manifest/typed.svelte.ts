// Texts that were typed into the fields of forms and that are not in the manifest yet, for example because they are not
// valid, and rules, tests and groups that are not complete yet. They are kept while something else is shown, so that
// nothing is lost.
import { SvelteMap } from "svelte/reactivity";

import type { EditRequest } from "../types/EditRequest";
import type { ListRef } from "../types/ListRef";
import type { Outline } from "../types/Outline";
import { itemAfter, itemsIn, LISTS, placesOf } from "./items";
import type { Renaming } from "./timeline";

export const typed = new SvelteMap<string, string>();

/** The lists of the policy. */
export type ListName = Exclude<ListRef, "routes">;

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

/** Moves the texts of the items of a list to their new numbers. The texts of an item that is gone are forgotten. */
function renumber(list: ListRef, after: (item: number) => number | null): void {
  move((key) => {
    const [, of, number, field] = /^(\w+) (\d+) ([^]*)$/.exec(key) ?? [];
    const item = of === list ? after(Number(number)) : undefined;
    return item === undefined ? key : item === null ? null : `${list} ${item} ${field}`;
  });
}

/** Follows routes, rules and tests through edits of this page. */
export function followTyped(edits: readonly EditRequest[]): void {
  for (const edit of edits) {
    if ("list" in edit) {
      renumber(edit.list, (item) => itemAfter(edit.list, item, edit));
    }
  }
}

/** Follows routes, rules and tests when the text was changed in another way: it was typed, undone, or read again. */
export function followOutline(before: Outline, after: Outline): void {
  if (typed.size === 0) {
    return;
  }
  for (const list of LISTS) {
    const places = placesOf(itemsIn(before, list), itemsIn(after, list));
    renumber(list, (item) => places[item] ?? null);
  }
}
