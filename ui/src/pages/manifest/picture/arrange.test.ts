import { describe, expect, it } from "vitest";

import { collected, prefixOf } from "../../../lib/diagram/grouping";
import { aligned, arrange, type Arranged, CARD, cardHeight, cloudHeight, FOLDED, moved, type Places, type Unit } from "./arrange";

const NONE = new Set<string>();
const units = (count: number, gateways: number[] = []): Unit[] =>
  Array.from({ length: count }, (_, at) => ({
    name: `h${at}`,
    height: cardHeight(at % 7),
    clouds: gateways.includes(at) ? [{ key: String(at), height: cloudHeight(3) }, { key: `${at}b`, height: cloudHeight(9) }] : [],
  }));
const one = (all: readonly Unit[]) => [{ key: "", title: "", hosts: all.map((unit) => unit.name) }];
const plain = (all: readonly Unit[], places: Places = {}) => arrange(all, one(all), [], places, NONE);

/** The names of things that cover each other. */
function covered({ cards, clouds }: Arranged): string[] {
  const all = [...cards, ...clouds];
  return all.flatMap((a, at) =>
    all.slice(at + 1).filter((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height).map((b) => `${a.name} and ${b.name}`),
  );
}

describe.each([1, 2, 8, 40, 150])("a picture of %d hosts", (count) => {
  const all = units(count, [0, 5]);
  const drawn = plain(all);

  it("shows every card and every cloud once, inside of the picture, and covers none", () => {
    expect(new Set(drawn.cards.map((card) => card.name)).size).toBe(count);
    expect(drawn.clouds).toHaveLength(count > 5 ? 4 : 2);
    expect(covered(drawn)).toEqual([]);
    for (const spot of [...drawn.cards, ...drawn.clouds]) {
      expect(spot.x).toBeGreaterThanOrEqual(drawn.all.x);
      expect(spot.x + spot.width).toBeLessThanOrEqual(drawn.all.x + drawn.all.width);
      expect(spot.y + spot.height).toBeLessThanOrEqual(drawn.all.y + drawn.all.height);
    }
  });

  it("has about the shape of the window", () => {
    const shape = drawn.all.width / drawn.all.height;
    expect(count < 8 || (shape > 0.8 && shape < 2.6)).toBe(true);
  });

  it("moves no host when another one comes or goes", () => {
    const more = [{ name: "new", height: cardHeight(2), clouds: [] }, ...all];
    const grown = plain(more, drawn.places);
    const at = (of: Arranged) => new Map(of.cards.map((card) => [card.name, `${card.x} ${card.y}`]));
    expect([...at(grown)].filter(([name, place]) => name !== "new" && at(drawn).get(name) !== place)).toEqual([]);
    expect(covered(grown)).toEqual([]);
    expect([...at(plain(all.slice(1), drawn.places))].filter(([name, place]) => at(drawn).get(name) !== place)).toEqual([]);
  });
});

it("a card that grows pushes down what is below it, and lets it back when it shrinks", () => {
  const all = units(8);
  const drawn = plain(all);
  const grown = all.map((unit, at) => (at === 0 ? { ...unit, height: unit.height + 140 } : unit));
  const pushed = plain(grown, drawn.places);
  expect(covered(pushed)).toEqual([]);
  expect(pushed.places).toEqual(drawn.places);
  expect(plain(all, pushed.places).cards).toEqual(expect.arrayContaining(drawn.cards));
});

it("cards that were moved stay where they were put, on the grid", () => {
  const all = units(4);
  const drawn = plain(all);
  const places = moved(drawn, new Set(["h1"]), 2001.3, -333);
  const [x = 0, y = 0] = places["h1"] ?? [];
  expect([x % 8, y % 8].map(Math.abs)).toEqual([0, 0]);
  expect(plain(all, places).cards.find((card) => card.name === "h1")).toMatchObject({ x, y });
  expect(plain(all, places).cards.find((card) => card.name === "h0")).toMatchObject({ x: 0, y: 0 });
});

it("aligned cards share an edge and do not cover each other", () => {
  const all = units(9);
  const names = new Set(["h1", "h3", "h7"]);
  for (const edge of ["x", "y"] as const) {
    const drawn = plain(all);
    const after = aligned(drawn, names, edge);
    expect(new Set([...names].map((name) => after[name]?.[edge === "x" ? 0 : 1])).size).toBe(1);
    expect(covered(plain(all, after))).toEqual([]);
  }
});

it("a folded group is one small card, and its hosts keep their places inside", () => {
  const all = units(90).map((unit, at) => ({ ...unit, name: `${["web", "db", "lab"][at % 3]}-${at}` }));
  const groups = collected(all, (unit) => prefixOf(unit.name), (key) => key, 2, "others");
  const open = arrange(all, groups, [], {}, NONE);
  const folded = arrange(all, groups, [], open.places, new Set(["db"]));
  expect(open.cards).toHaveLength(90);
  expect(folded.cards).toHaveLength(60);
  expect(folded.frames.find((frame) => frame.key === "db")).toMatchObject({ ...FOLDED, folded: true });
  expect(folded.places).toEqual(open.places);
  expect(covered(open)).toEqual([]);
  for (const frame of open.frames) {
    for (const card of open.cards.filter((one) => frame.hosts.includes(one.name))) {
      expect(card.x >= frame.x && card.x + CARD.width <= frame.x + frame.width && card.y > frame.y && card.y + card.height <= frame.y + frame.height).toBe(true);
    }
  }
});

it("a cloud that was moved stands beside its gateway as before, wherever the gateway goes, and covers nothing", () => {
  const all = units(8).map((unit, at) => (at === 3 ? { ...unit, clouds: [{ key: "0", height: cloudHeight(2), at: [-400, 160] as const }, { key: "1", height: cloudHeight(1) }] } : unit));
  const drawn = plain(all, { ...plain(units(8)).places, h3: [2000, 80] });
  const cloud = (of: Arranged) => of.clouds.find((one) => one.name === "0");
  expect(cloud(drawn)).toMatchObject({ x: 1600, y: 240 });
  const elsewhere = plain(all, { ...drawn.places, h3: [3000, 0] });
  expect(cloud(elsewhere)).toMatchObject({ x: 2600, y: 160 });
  // On top of a card, one of both is pushed down.
  const above = plain(all, { ...drawn.places, h3: [400, -160], h5: [0, 0] });
  expect(covered(above)).toEqual([]);
  expect(above.clouds).toHaveLength(2);
  expect(Object.keys(above.places)).toHaveLength(8);
});

it("routes through hosts that do not exist stand below the rest", () => {
  const all = units(5);
  const drawn = arrange(all, one(all), [{ key: "0", height: 100 }, { key: "1", height: 80 }], {}, NONE);
  expect(drawn.clouds).toHaveLength(2);
  expect(covered(drawn)).toEqual([]);
});

it("four times as many hosts cost less than sixteen times the work, as if every card were compared with every other", () => {
  // The shortest of many runs is the one that nothing else has disturbed.
  const best = (count: number) => {
    const all = units(count, [0, 5, 9]);
    return Math.min(
      ...Array.from({ length: 60 }, () => {
        const begin = performance.now();
        plain(all);
        return performance.now() - begin;
      }),
    );
  };
  best(100);
  expect(best(400) / best(100)).toBeLessThan(16);
});
