import { expect, it } from "vitest";

import { shelved } from "./shelves";

const blocks = (...widths: number[]) => widths.map((width) => ({ width, height: 10 }));
const places = (widths: number[], aspect: number, lead = 0) => shelved(blocks(...widths), { gap: 2, lead, aspect, step: 1 }).map(({ x, y }) => [x, y]);

it("blocks stand side by side in a wide drawing, and below each other in a high one", () => {
  expect(places([10, 10, 10], 10)).toEqual([[0, 0], [12, 0], [24, 0]]);
  expect(places([10, 10, 10], 0.1)).toEqual([[0, 0], [0, 12], [0, 24]]);
  expect(places([10, 10, 10, 10], 1)).toEqual([[0, 0], [12, 0], [0, 12], [12, 12]]);
});

it("blocks stand at the right of what leads the drawing, and a drawing may have none", () => {
  expect(places([10, 10], 10, 5)).toEqual([[5, 0], [17, 0]]);
  expect(places([], 1, 5)).toEqual([]);
});
