import { expect, it } from "vitest";

import type { Outline } from "../types/Outline";
import { selection } from "./selection.svelte";

it("a host is followed to its new name, and forgotten when it is gone", () => {
  selection.only("web1");
  selection.renamed([["web1", "shop"]]);
  expect([...selection.hosts]).toEqual(["shop"]);
  selection.keepTo({ hosts: [], template: [], network: [], routes: [], policy: null, nextVip: null, nextPort: 8080 } satisfies Outline);
  expect([...selection.hosts]).toEqual([]);
});

it("a route is followed through edits and through other changes of the text, and forgotten when it is gone", () => {
  const route = (via: string) => ({ fields: [{ field: "via", value: via, origin: { kind: "own" as const, index: null }, items: null }] });
  const outline = (...vias: string[]): Outline => ({ hosts: [], template: [], network: [], routes: vias.map(route), policy: null, nextVip: null, nextPort: 8080 });
  selection.onlyRoute(1);
  selection.followed([{ kind: "move", list: "routes", from: 1, to: 0 }, { kind: "remove", list: "rules", at: 0 }]);
  expect(selection.route).toBe(0);
  selection.followedFrom(outline("b", "a"), outline("new", "b", "a"));
  expect(selection.route).toBe(1);
  selection.followedFrom(outline("new", "b", "a"), outline("new", "a"));
  expect(selection.route).toBeNull();
  selection.clear();
});
