import { describe, expect, it } from "vitest";

import { CARD, layout, neighbour } from "./layout";

const hosts = (count: number, gateways: number[] = []) =>
  Array.from({ length: count }, (_, index) => ({ name: `h${index}`, gateway: gateways.includes(index) }));

describe.each([1, 2, 7, 40, 200])("a network of %d hosts", (count) => {
  const drawn = layout(hosts(count, [0]));

  it("shows each host once, with a pipe", () => {
    expect(new Set(drawn.spots.map((spot) => spot.name)).size).toBe(count);
    expect(drawn.pipes).toHaveLength(count);
  });

  it("has no two cards over each other", () => {
    for (const a of drawn.spots) {
      for (const b of drawn.spots) {
        const apart = a === b || Math.abs(a.x - b.x) >= CARD.width || Math.abs(a.y - b.y) >= CARD.height;
        expect(apart, `${a.name} and ${b.name}`).toBe(true);
      }
    }
  });

  it("begins every pipe on the rail, each at a place of its own", () => {
    const jacks = drawn.pipes.map((pipe) => pipe.jack);
    expect(new Set(jacks).size).toBe(count);
    expect(Math.min(...jacks)).toBeGreaterThan(0);
    expect(Math.max(...jacks)).toBeLessThan(drawn.rail.height);
  });

  it("puts gateways last, with what they lead to at their right", () => {
    expect(drawn.spots.at(-1)?.name).toBe("h0");
    expect(drawn.outside[0]?.x).toBeGreaterThan((drawn.spots.at(-1)?.x ?? 0) + CARD.width);
  });
});

it("an empty network is a rail alone", () => {
  expect(layout([])).toMatchObject({ spots: [], pipes: [], outside: [] });
});

it("arrow keys lead to neighbours and stop at the edges", () => {
  const { spots } = layout(hosts(7));
  expect(neighbour(spots, "h0", "ArrowDown")).toBe("h1");
  expect(neighbour(spots, "h0", "ArrowUp")).toBeNull();
  expect(neighbour(spots, "h0", "ArrowRight")).toBe("h4");
  expect(neighbour(spots, "h3", "ArrowRight")).toBe("h6");
  expect(neighbour(spots, "h4", "ArrowRight")).toBeNull();
  expect(neighbour(spots, "nobody", "ArrowRight")).toBeNull();
});
