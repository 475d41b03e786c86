import { expect, it } from "vitest";
import { hasErrors, stretch, tells } from "./problems";
import type { Problem } from "../types/Problem";

function problem(line: number, column: number, endLine: number, endColumn: number): Problem {
  return { severity: "warning", line, column, endLine, endColumn, message: "m", hint: null, place: null };
}

const PLACES = [
  [1, 1, 1, 1],
  [1, 5, 1, 5],
  [3, 3, 3, 3],
  [9, 9, 9, 9],
  [3, 1, 1, 1],
  [0, 0, 0, 0],
] as const;

it("a problem is found again in the text", () => {
  const text = "hosts:\n  wöb: x\nz";
  const at = (...place: [number, number, number, number]) => {
    const { from, to } = stretch(problem(...place), text);
    return text.slice(from, to);
  };
  expect(at(1, 1, 1, 6)).toBe("hosts");
  expect(at(2, 3, 2, 6)).toBe("wöb");
  expect(at(1, 6, 2, 3)).toBe(":\n  ");
});

it("a problem can be seen wherever it is said to be", () => {
  const text = "a: b\n\ncd";
  for (const [row, column, endRow, endColumn] of PLACES) {
    const { from, to } = stretch(problem(row, column, endRow, endColumn), text);
    expect(to - from, `${row}:${column}`).toBeGreaterThan(0);
    expect(to).toBeLessThanOrEqual(text.length);
  }
  expect(stretch(problem(1, 1, 1, 1), "")).toEqual({ from: 0, to: 0 });
});

it("only errors are errors", () => {
  expect(hasErrors([problem(1, 1, 1, 1)])).toBe(false);
  expect(hasErrors([problem(1, 1, 1, 1), { ...problem(1, 1, 1, 1), severity: "error" }])).toBe(true);
});

it("a report that tells of the same errors is known", () => {
  const error: Problem = { ...problem(1, 1, 1, 1), severity: "error", message: "no such host" };
  const warning: Problem = { ...problem(1, 1, 1, 1), message: "unknown key" };
  expect(tells("error: no such host\n  --> n.yaml:1", [warning, error])).toBe(true);
  expect(tells("warning: unknown key", [warning, error])).toBe(false);
  expect(tells("the network has ended", [])).toBe(false);
});
