import { expect, it } from "vitest";
import { indentAfter } from "./indent";

it("a new line begins where the next word most likely belongs", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["hosts:", 2],
    ["hosts:\n  web1:  # the shop", 4],
    ["hosts:\n  web1:\n    vip: x", 4],
    ["    ports:", 6],
    ["    ports:\n      - \"8080:127.0.0.1:80\"", 6],
    ["routes:\n  - via: bastion", 4],
    ["routes:\n  - to:", 6],
    ["  # hosts:", 2],
    ["  a: b\n\n", 2],
  ];
  for (const [text, depth] of cases) {
    expect(indentAfter(text), text).toBe(depth);
  }
});
