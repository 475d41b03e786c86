// The lists of a manifest whose items have fields: routes, rules and tests. Items have numbers in place of names, and this
// follows an item to its new number when the text changes.
import type { EditRequest } from "../types/EditRequest";
import type { FieldOf } from "../types/FieldOf";
import type { ItemOutline } from "../types/ItemOutline";
import type { ListRef } from "../types/ListRef";
import type { Outline } from "../types/Outline";

/** What the items of each list are. */
export const ITEMS = { routes: "route", rules: "rule", tests: "test" } as const satisfies Record<ListRef, FieldOf>;

export const LISTS: readonly ListRef[] = ["routes", "rules", "tests"];

export function itemsIn(outline: Outline, list: ListRef): readonly ItemOutline[] {
  return list === "routes" ? outline.routes : (outline.policy?.[list] ?? []);
}

/** The number of an item after an edit; null if the edit has removed the item. */
export function itemAfter(list: ListRef, item: number, edit: EditRequest): number | null {
  if (!("list" in edit) || edit.list !== list) {
    return item;
  }
  switch (edit.kind) {
    case "insert":
      return edit.at !== null && edit.at <= item ? item + 1 : item;
    case "remove":
      return edit.at === item ? null : edit.at < item ? item - 1 : item;
    case "move": {
      const { from, to } = edit;
      if (from === item) {
        return to;
      }
      const without = from < item ? item - 1 : item;
      return to <= without ? without + 1 : without;
    }
  }
}

/**
 * The new number of each item of a list, of which only the content before and after a change is known; null if the item is
 * gone.
 */
export function placesOf(old: readonly ItemOutline[], now: readonly ItemOutline[]): (number | null)[] {
  const says = ({ fields }: ItemOutline) => JSON.stringify(fields.map(({ field, value }) => [field, value]));
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
  const left = new Map<string, number[]>();
  for (let at = head; at < b.length - tail; at += 1) {
    const one = b[at] as string;
    const same = left.get(one) ?? [];
    same.push(at);
    left.set(one, same);
  }
  const places = a.map((one, at) => (at < head ? at : at >= a.length - tail ? at + b.length - a.length : (left.get(one)?.shift() ?? null)));
  // An item that is in neither list as it is in the other one was changed in its place.
  const free = new Set([...left.values()].flat());
  return places.map((place, at) => place ?? (a.length === b.length && free.has(at) ? at : null));
}
