// Tests of the decisions of the diagram and the list: places, the visible part, which hosts are connected, and the
// order of the list.
import { describe, expect, it } from "vitest";

import type { FlowView } from "../../lib/types/FlowView";
import type { HostState } from "../../lib/types/HostState";
import type { HostView } from "../../lib/types/HostView";
import { joined, lineWidth, pairsOf } from "./pairs";
import { type Grid, kept, settle } from "./places";
import { sorted, type Row } from "./sorting";
import { stands } from "./standings";
import { tallyOf } from "./urgency";
import { contains, fitted, inSight, levelOf, revealed, zoomed } from "../../lib/diagram/viewport";

describe("places", () => {
  const names = (count: number) => Array.from({ length: count }, (_, at) => `h${at}`);

  it("are kept, and a new host takes a free one", () => {
    const before = settle(names(6), undefined, 2);
    expect(before).toMatchObject({ columns: 2, rows: 3 });
    const without = settle(["h0", "h2", "h3", "h4", "h5"], before, 2);
    const after = settle(["new", "h0", "h2", "h3", "h4", "h5"], without, 2);
    expect(after.cells["new"]).toEqual(before.cells["h1"]);
    const { new: _, ...others } = after.cells;
    expect(Object.entries(others).every(([name, cell]) => String(cell) === String(before.cells[name]))).toBe(true);
  });

  it("are not shared, and a full grid grows", () => {
    let grid: Grid | undefined;
    for (let count = 1; count <= 60; count += 1) {
      const before: Grid | undefined = grid;
      grid = settle(names(count), before, 3);
      const cells = Object.values(grid.cells).map(String);
      expect(new Set(cells).size).toBe(count);
      for (const [name, cell] of Object.entries(before?.cells ?? {})) {
        expect(grid.cells[name]).toEqual(cell);
      }
    }
  });

  it("are filled anew when most hosts are gone", () => {
    const before = settle(names(40), undefined, 5);
    expect(settle(["h39"], before, 5)).toEqual({ columns: 1, rows: 1, cells: { h39: [0, 0] } });
  });

  it("are remembered for each diagram, and damaged ones are forgotten", () => {
    const grid = settle(names(2), undefined, 1);
    kept.remember("office none", { hosts: grid });
    expect(kept.recall("office none")).toEqual({ hosts: grid });
    expect(kept.recall("lab none")).toBeUndefined();
    localStorage.setItem("norouter.places", "{");
    expect(kept.recall("office none")).toBeUndefined();
  });
});

describe("the viewport", () => {
  const pane = { width: 900, height: 500 };

  it.each([
    [200, 100],
    [4000, 300],
    [300, 9000],
    [20_000, 12_000],
  ])("fits a diagram of %d by %d, whatever its size", (width, height) => {
    const box = { x: 0, y: 0, width, height };
    expect(contains(inSight(fitted(box, pane), pane), box)).toBe(true);
  });

  it("keeps the point under the pointer when it zooms", () => {
    const view = { x: 30, y: 40, zoom: 0.5 };
    const after = zoomed(view, 2, { x: 130, y: 240 });
    expect((130 - after.x) / after.zoom).toBeCloseTo((130 - view.x) / view.zoom);
    expect((240 - after.y) / after.zoom).toBeCloseTo((240 - view.y) / view.zoom);
  });

  it("moves as little as needed to reveal a card", () => {
    const view = { x: 0, y: 0, zoom: 1 };
    expect(revealed(view, { x: 50, y: 50, width: 100, height: 50 }, pane)).toEqual(view);
    expect(revealed(view, { x: 850, y: 50, width: 100, height: 50 }, pane)).toMatchObject({ x: -70, y: 0 });
  });

  it("shows marks, names, figures and cards as they become larger", () => {
    expect([0.1, 0.3, 0.5, 1].map(levelOf)).toEqual(["dot", "name", "brief", "card"]);
  });
});

describe("the hosts that are connected", () => {
  const flow = (from: string, to: string, rateFrom: number, rateTo: number) => ({ from, to, rateFrom, rateTo }) as FlowView;
  const all = pairsOf([flow("web", "db", 10, 20), flow("db", "web", 5, 5), flow("web", "web", 9, 9), flow("web", "lab", 0, 0)]);

  it("is one line for both directions, without what stays on a host", () => {
    expect(all).toEqual([
      { a: "db", b: "web", flows: 2, rate: 40 },
      { a: "lab", b: "web", flows: 1, rate: 0 },
    ]);
  });

  it("is joined for folded groups, and hidden inside of one", () => {
    const group = new Map([["db", "/data"], ["lab", "/data"], ["web", "web"]]);
    expect(joined(all, (host) => group.get(host))).toEqual([{ a: "/data", b: "web", flows: 3, rate: 40 }]);
    expect(joined(all, () => "/all")).toEqual([]);
    expect(joined(all, (host) => (host === "web" ? undefined : host))).toEqual([]);
  });

  it("is wider for a higher rate", () => {
    expect([0, 1_000, 100_000, 10_000_000, 1e12].map(lineWidth)).toEqual([1, 2, 4, 6, 6]);
  });
});

describe("the list", () => {
  const row = (name: string, state: HostState, latencyUs?: number): Row => ({
    host: { name, vip: "127.0.42.1", state, latencyUs, ports: [], sinceMs: 0, traffic: { flows: 0 } } as unknown as HostView,
    last: undefined,
    path: "",
  });
  const rows = [row("web10", "ready", 5), row("web2", "refused"), row("db", "ready", 900)];
  const names = (...sort: Parameters<typeof sorted>[1][]) => sorted(rows, sort[0] ?? null).map(({ host }) => host.name);

  it("is in the order of the manifest, or in that of a column", () => {
    expect(names(null)).toEqual(["web10", "web2", "db"]);
    expect(names({ column: "host", down: false })).toEqual(["db", "web2", "web10"]);
    expect(names({ column: "state", down: false })).toEqual(["web2", "web10", "db"]);
    expect(names({ column: "latency", down: true })).toEqual(["db", "web10", "web2"]);
  });

  it("says of a group how many are up, and what is wrong", () => {
    expect(tallyOf(["ready", "degraded", "waiting", "refused", "waiting"])).toEqual({ up: 2, all: 5, troubles: [["refused", 1], ["waiting", 2], ["degraded", 1]] });
  });

  it("is filtered by what is up, down, stopped or in need of attention", () => {
    const is = (state: HostState) => (["up", "down", "stopped", "attention"] as const).filter((standing) => stands({ state } as HostView, standing));
    expect(is("ready")).toEqual(["up"]);
    expect(is("degraded")).toEqual(["up", "attention"]);
    expect(is("waiting")).toEqual(["down"]);
    expect(is("stopped")).toEqual(["stopped"]);
    expect(is("needsYou")).toEqual(["down", "attention"]);
  });
});
