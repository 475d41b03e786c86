import { expect, test } from "vitest";

import { cellSentence, cellWords, reachedBy, reachedFrom } from "./policy";
import type { MatrixCell } from "./types/MatrixCell";
import type { PlanPolicy } from "./types/PlanPolicy";

const cell = (reach: MatrixCell["reach"], more: Partial<MatrixCell> = {}): MatrixCell => ({ reach, ...more });

const policy: PlanPolicy = {
  default: "deny",
  rules: [],
  targets: [
    { name: "web", ports: [80, 443] },
    { name: "db", ports: [5432] },
    { name: "*.internal", via: "web" },
  ],
  rows: [
    { from: "web", cells: [cell("own"), cell("all"), cell("own")] },
    { from: "db", cells: [cell("part", { ports: "443", refusedBy: [2] }), cell("own"), cell("part", { some: "1-65535" })] },
    { from: "ci", cells: [cell("none"), cell("nothing"), cell("none", { refusedBy: [1, 3] })] },
  ],
};

test("a cell says what can be reached", () => {
  const words = policy.rows[1]?.cells.map(cellWords);
  expect(words).toEqual(["443", "itself", "partly, at 1-65535"]);
  expect(cellWords(cell("part", { ports: "1", some: "2" }))).toBe("1; partly, at 2");
});

test("a sentence says what refuses the rest", () => {
  const says = (row: number, column: number) => {
    const one = policy.rows[row];
    const target = policy.targets[column];
    const at = one?.cells[column];
    return one && target && at ? cellSentence(one.from, target, at) : "";
  };
  expect(says(1, 0)).toBe("db can reach 443 on web: rule 2 denies the rest.");
  expect(says(2, 0)).toBe("ci cannot reach web: the rest is denied by default.");
  expect(says(2, 2)).toBe("ci cannot reach *.internal via web: rules 1, 3 deny the rest.");
  expect(says(1, 2)).toContain("only some names or addresses");
  expect(says(0, 1)).toBe("web can reach everything on db.");
});

test("a host has two lists: what it reaches, and who reaches it", () => {
  expect(reachedFrom(policy, "db")).toEqual([
    { name: "web", words: "443" },
    { name: "*.internal via web", words: "partly, at 1-65535" },
  ]);
  expect(reachedBy(policy, "web")).toEqual([{ name: "db", words: "443" }]);
  expect(reachedBy(policy, "nobody")).toEqual([]);
  expect(reachedFrom(policy, "nobody")).toEqual([]);
});
