import { expect, it } from "vitest";

import { routeAfter, selection } from "./selection.svelte";
import type { Outline } from "../types/Outline";

it("a route is followed wherever it and others are moved", () => {
  for (let from = 0; from < 5; from += 1) {
    for (let to = 0; to < 5; to += 1) {
      const routes = [0, 1, 2, 3, 4];
      const moved = routes.toSpliced(from, 1).toSpliced(to, 0, from);
      for (const route of routes) {
        expect(routeAfter(route, { kind: "moveRoute", from, to }), `${from} to ${to}`).toBe(moved.indexOf(route));
      }
    }
  }
});

it("a route is followed when others are added and removed, and is gone when it is removed", () => {
  const add = (at: number | null) => routeAfter(2, { kind: "addRoute", at, via: "a", to: ["b"], notTo: [] });
  expect([add(null), add(3), add(2), add(0)]).toEqual([2, 2, 3, 3]);
  const remove = (at: number) => routeAfter(2, { kind: "removeRoute", at });
  expect([remove(3), remove(2), remove(1)]).toEqual([2, null, 1]);
});

it("a host is followed to its new name, and forgotten when it is gone", () => {
  selection.only("web1");
  selection.renamed([["web1", "shop"]]);
  expect([...selection.hosts]).toEqual(["shop"]);
  selection.keepTo({ hosts: [], template: [], network: [], routes: [], nextVip: null, nextPort: 8080 } satisfies Outline);
  expect([...selection.hosts]).toEqual([]);
});
