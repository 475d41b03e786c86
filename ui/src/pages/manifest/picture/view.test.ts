// The places of cards and clouds: they follow what they belong to.
import { beforeEach, expect, it } from "vitest";

import { cloudPlaces, type RouteSaid, view } from "./view.svelte";

const route = (via: string, to: string, notTo: string[] = []): RouteSaid => ({ via: [via], to: [to], notTo });
const [A, B, C] = [route("gate", "10.0.0.0/8"), route("gate", "*.internal"), route("other", "*.lab")];

beforeEach(() => {
  localStorage.clear();
  view.about("/other.yaml");
  view.about("/a.yaml");
  view.placeClouds([]);
});

const places = (...routes: RouteSaid[]) => cloudPlaces(view.clouds, routes).map((one) => one?.at ?? null);

it("a renamed host keeps its place in every arrangement, there and back, also while another file was shown", () => {
  view.place(false, { a: [0, 0], b: [16, 24], shop: [800, 800] });
  view.place(true, { b: [8, 8] });
  view.placeClouds([{ route: route("b", "*.x"), at: [40, 40] }]);
  view.about("/other.yaml");
  view.renamed("/a.yaml", [["b", "shop"]]);
  expect(view.places(false)).toEqual({ a: [0, 0], shop: [16, 24] });
  expect(view.places(true)).toEqual({ shop: [8, 8] });
  expect(places(route("shop", "*.x"))).toEqual([[40, 40]]);
  view.renamed("/a.yaml", [["shop", "b"]]);
  expect(view.places(false)).toEqual({ a: [0, 0], b: [16, 24] });
});

it("a cloud keeps its place when routes change their order, their gateway or their destinations", () => {
  view.placeClouds([{ route: A, at: null }, { route: B, at: [8, 16] }, { route: C, at: null }]);
  expect(places(C, A, B)).toEqual([null, null, [8, 16]]);
  expect(places(A, route("third", "*.internal"), C)).toEqual([null, [8, 16], null]);
  expect(places(A, route("gate", "*.intern"), C)).toEqual([null, [8, 16], null]);
});

it("the place of a removed route waits for the route, and goes to no other one", () => {
  view.placeClouds([{ route: A, at: null }, { route: B, at: [8, 16] }]);
  expect(places(A)).toEqual([null]);
  view.settleClouds([A]);
  view.settleClouds([A, B]);
  expect(places(A, B)).toEqual([null, [8, 16]]);
});

it("an edit after an edit is still followed", () => {
  view.placeClouds([{ route: A, at: [8, 16] }]);
  for (const now of [route("gate", "10.1.0.0/16"), route("hop", "10.1.0.0/16"), route("hop", "10.1.0.0/16", ["10.1.1.0/24"]), route("hop", "*.y", ["10.1.1.0/24"])]) {
    view.settleClouds([now]);
    expect(places(now)).toEqual([[8, 16]]);
  }
});

it("nothing is stored before the person moves a cloud", () => {
  view.settleClouds([A, B]);
  expect(view.clouds).toEqual([]);
});
