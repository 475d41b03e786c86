import { expect, it } from "vitest";

import { covers, meet, rivals } from "./overlap";

it.each([
  ["10.0.0.0/8", "10.20.0.0/16", true],
  ["10.0.0.0/8", "11.0.0.0/8", false],
  ["0.0.0.0/0", "::/0", false],
  ["2001:db8::/32", "2001:db8:1::/48", true],
  ["2001:db8::/32", "2001:db9::/32", false],
  ["*.corp.example", "wiki.corp.example", true],
  ["*.corp.example", "corp.example", false],
  ["*.corp.example", "*.example", true],
  ["*.corp.example", "*.lab.example", false],
  ["db-*", "*-eu", true],
  ["db-*", "web-*", false],
  ["*A.Example", "b.a.example", true],
  ["*", "10.0.0.0/8", false],
])("%s and %s can match the same: %s", (one, other, both) => {
  expect(meet(one, other)).toBe(both);
  expect(meet(other, one)).toBe(both);
});

it.each([
  ["10.0.0.0/8", "10.20.0.0/16", true],
  ["10.20.0.0/16", "10.0.0.0/8", false],
  ["*.example", "*.corp.example", true],
  ["*.corp.example", "*.example", false],
  ["a.example", "A.example", true],
  ["db-*-eu", "db-eu", false],
])("%s covers all of %s: %s", (wide, narrow, all) => expect(covers(wide, narrow)).toBe(all));

it("only routes that could both match are rivals, and an exception ends the rivalry", () => {
  expect(rivals([
    { to: ["10.0.0.0/8"], notTo: [] },
    { to: ["10.1.0.0/16", "*.lab"], notTo: [] },
    { to: ["192.0.2.0/24"], notTo: [] },
    { to: ["*"], notTo: [] },
  ])).toEqual([[1], [0, 3], [], [1]]);
  expect(rivals([{ to: ["10.0.0.0/8"], notTo: ["10.1.0.0/16"] }, { to: ["10.1.2.0/24"], notTo: [] }])).toEqual([[], []]);
});
