import { describe, expect, it } from "vitest";
import { even, reveal, seen, uneven } from "./rows";

describe("what is seen of a long list", () => {
  it("covers the window at every place, for rows of one height and of many", () => {
    const heights = Array.from({ length: 500 }, (_, row) => 20 * (1 + (row % 4)));
    for (const rows of [even(10_000, 32), uneven(heights)]) {
      for (let scrolled = 0; scrolled <= rows.height - 300; scrolled += 997) {
        const { first, end, shift } = seen(rows, scrolled, 300);
        expect(shift).toBeLessThanOrEqual(0);
        expect(rows.top(first) - scrolled).toBe(shift);
        expect(rows.top(end) - scrolled).toBeGreaterThanOrEqual(300);
        expect(end - first).toBeLessThan(20);
      }
    }
  });

  it("ends with the last row, also when it is scrolled too far", () => {
    for (const rows of [even(50, 20), uneven(Array.from({ length: 50 }, () => 20))]) {
      expect(seen(rows, 99_999, 100)).toEqual({ first: 45, end: 50, shift: 0 });
      expect(seen(rows, -50, 100)).toMatchObject({ first: 0, shift: 0 });
    }
  });

  it("shows all of a short list, and nothing of an empty one", () => {
    expect(seen(even(2, 20), 0, 100)).toEqual({ first: 0, end: 2, shift: 0 });
    expect(seen(even(0, 20), 0, 100)).toEqual({ first: 0, end: 0, shift: 0 });
    expect(seen(uneven([]), 10, 100)).toEqual({ first: 0, end: 0, shift: 0 });
  });

  it("scrolls just as far as needed to show a row", () => {
    const rows = even(100, 20);
    expect(reveal(rows, 5, 0, 100)).toBe(20);
    expect(reveal(rows, 4, 0, 100)).toBe(0);
    expect(reveal(rows, 3, 200, 100)).toBe(60);
  });
});
