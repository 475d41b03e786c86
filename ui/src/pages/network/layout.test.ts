import { describe, expect, it } from "vitest";

import type { Group } from "../../lib/diagram/grouping";
import { neighbour } from "../../lib/diagram/neighbour";
import { CARD, FOLDED, layout, PIPES_MAX, type Placed } from "./layout";

const hosts = (count: number, gateways: number[] = []): Placed[] =>
  Array.from({ length: count }, (_, index) => ({ name: `h${index}`, gateway: gateways.includes(index), hop: "" }));
const one = (all: readonly Placed[]): Group[] => [{ key: "", title: "", hosts: all.map((host) => host.name) }];
const plain = (all: readonly Placed[]) => layout(all, one(all), {}, new Set());

describe.each([1, 2, 7, 24, 25, 40, 150, 400])("a network of %d hosts", (count) => {
  const drawn = plain(hosts(count, [0]));

  it("shows each host once, inside of the diagram", () => {
    expect(new Set(drawn.spots.map((spot) => spot.name)).size).toBe(count);
    expect(drawn.pipes).toHaveLength(count <= PIPES_MAX ? count : 0);
    expect(drawn.frames).toHaveLength(count <= PIPES_MAX ? 0 : 1);
    for (const spot of drawn.spots) {
      expect(spot.x).toBeGreaterThan(0);
      expect(spot.y).toBeGreaterThanOrEqual(0);
      expect(spot.x + CARD.width).toBeLessThanOrEqual(drawn.width);
      expect(spot.y + CARD.height).toBeLessThanOrEqual(drawn.height);
    }
  });

  it("has no two cards over each other", () => {
    const covered = drawn.spots.flatMap((a) =>
      drawn.spots.filter((b) => a !== b && Math.abs(a.x - b.x) < CARD.width && Math.abs(a.y - b.y) < CARD.height).map((b) => `${a.name} and ${b.name}`),
    );
    expect(covered).toEqual([]);
  });

  it("shows what is behind the gateway", () => {
    expect(drawn.outside.map((out) => out.name)).toEqual(["h0"]);
  });

  it("moves no host when another one comes or goes", () => {
    const all = hosts(count, [0]);
    const place = (of: typeof drawn) => new Map(of.spots.map((spot) => [spot.name, `${spot.x}`]));
    const before = place(drawn);
    const more = [{ name: "new", gateway: false, hop: "" }, ...all];
    const grown = layout(more, one(more), drawn.places, new Set());
    const moved = Array.from(place(grown)).filter(([name, at]) => name !== "new" && name !== "h0" && before.get(name) !== at);
    expect(moved).toEqual([]);
    expect(grown.spots).toHaveLength(count + 1);
    // If there are only two hosts, none is removed, because a new grid would be made.
    const less = count > 2 ? all.slice(0, -1) : all;
    const shrunk = layout(less, one(less), drawn.places, new Set());
    expect(shrunk.spots.map((spot) => spot.x)).toEqual(less.map((host) => drawn.spots.find((spot) => spot.name === host.name)?.x));
  });
});

it("begins every pipe on the rail, each at a place of its own", () => {
  const drawn = plain(hosts(20, [3, 5]));
  const jacks = drawn.pipes.map((pipe) => pipe.jack);
  expect(new Set(jacks).size).toBe(20);
  expect(Math.min(...jacks)).toBeGreaterThan(0);
  expect(Math.max(...jacks)).toBeLessThan(drawn.rail.height);
});

it("the rail holds its name even beside a single host", () => {
  const drawn = plain(hosts(1));
  expect(drawn.rail.height).toBeGreaterThanOrEqual(150);
  const [spot] = drawn.spots;
  expect((spot?.y ?? 0) + CARD.height / 2).toBe(drawn.rail.height / 2);
  expect(drawn.pipes[0]?.jack).toBe(drawn.rail.height / 2);
});

it("a folded group is one card, and the hosts of the others keep their columns", () => {
  const all = hosts(60);
  const groups = [0, 1, 2].map((part): Group => ({ key: `g${part}`, title: `group ${part}`, hosts: all.slice(part * 20, part * 20 + 20).map((host) => host.name) }));
  const open = layout(all, groups, {}, new Set());
  const folded = layout(all, groups, open.places, new Set(["g1"]));
  expect(open.spots).toHaveLength(60);
  expect(folded.spots).toHaveLength(40);
  expect(folded.frames.find((frame) => frame.key === "g1")).toMatchObject({ ...FOLDED, folded: true });
  expect(folded.frames).toHaveLength(3);
  expect(folded.places).toEqual(open.places);
});

it("a jump host has room before the card of the host behind it", () => {
  const all = hosts(3).map((host, at) => ({ ...host, hop: at === 1 ? "jump.example.com" : "" }));
  const without = plain(hosts(3));
  const drawn = plain(all);
  expect(drawn.pipes.map((pipe) => pipe.hop)).toEqual(["", "jump.example.com", ""]);
  expect(drawn.width).toBeGreaterThan(without.width);
});

it("an empty network is a rail alone", () => {
  expect(layout([], [], {}, new Set())).toMatchObject({ spots: [], pipes: [], outside: [] });
});

it("arrow keys lead to neighbours and stop at the edges", () => {
  const spots = [0, 1, 2, 3, 4, 5, 6].map((at) => ({ name: `h${at}`, x: Math.floor(at / 4) * 300, y: (at % 4) * 100, ...CARD }));
  expect(neighbour(spots, "h0", "ArrowDown")).toBe("h1");
  expect(neighbour(spots, "h0", "ArrowUp")).toBeNull();
  expect(neighbour(spots, "h0", "ArrowRight")).toBe("h4");
  expect(neighbour(spots, "h3", "ArrowRight")).toBe("h6");
  expect(neighbour(spots, "h4", "ArrowRight")).toBeNull();
  expect(neighbour(spots, "h3", "ArrowDown")).toBeNull();
  expect(neighbour(spots, "nobody", "ArrowRight")).toBeNull();
});
