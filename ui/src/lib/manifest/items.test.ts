import { expect, it } from "vitest";

import type { ItemOutline } from "../types/ItemOutline";
import { itemAfter, placesOf } from "./items";

it("an item is followed wherever it and others are moved", () => {
  for (let from = 0; from < 5; from += 1) {
    for (let to = 0; to < 5; to += 1) {
      const items = [0, 1, 2, 3, 4];
      const moved = items.toSpliced(from, 1).toSpliced(to, 0, from);
      for (const item of items) {
        expect(itemAfter("rules", item, { kind: "move", list: "rules", from, to }), `${from} to ${to}`).toBe(moved.indexOf(item));
      }
    }
  }
});

it("an item is followed when others are added and removed, and is gone when it is removed", () => {
  const add = (at: number | null) => itemAfter("routes", 2, { kind: "insert", list: "routes", at, fields: { via: "a", to: ["b"] } });
  expect([add(null), add(3), add(2), add(0)]).toEqual([2, 2, 3, 3]);
  const remove = (at: number) => itemAfter("routes", 2, { kind: "remove", list: "routes", at });
  expect([remove(3), remove(2), remove(1)]).toEqual([2, null, 1]);
});

it("an item stays where it is while another list and single fields change", () => {
  expect(itemAfter("rules", 2, { kind: "remove", list: "tests", at: 0 })).toBe(2);
  expect(itemAfter("rules", 2, { kind: "takeItem", owner: { kind: "item", list: "rules", at: 0 }, field: "to", at: 0, reach: null })).toBe(2);
});

/** Where the items of a list are after a change. Each letter is an item. */
function places(old: string, now: string): (number | null)[] {
  const items = (all: string) => [...all].map((value): ItemOutline => ({ fields: [{ field: "from", value, origin: { kind: "own", index: null }, items: null }] }));
  return placesOf(items(old), items(now));
}

it("items are found again after a change that nobody has described", () => {
  expect(places("abc", "abc")).toEqual([0, 1, 2]);
  expect(places("abc", "bc")).toEqual([null, 0, 1]);
  expect(places("abc", "xabc")).toEqual([1, 2, 3]);
  expect(places("abcd", "cabd")).toEqual([1, 2, 0, 3]);
  expect(places("aab", "ab")).toEqual([0, null, 1]);
  expect(places("ab", "")).toEqual([null, null]);
});

it("an item that was changed is the one in the same place, unless others have come or gone", () => {
  expect(places("abc", "axc")).toEqual([0, 1, 2]);
  expect(places("abc", "axyc")).toEqual([0, null, 3]);
});
