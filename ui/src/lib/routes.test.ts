import { expect, it } from "vitest";

import { leadsThrough } from "./routes";

it("a route leads through its gateway, and through those that take its place", () => {
  const route = { to: ["10.0.0.0/8"], notTo: [], via: "bastion", orVia: ["spare"] };
  expect(["bastion", "spare", "web1"].map((host) => leadsThrough(route, host))).toEqual([true, true, false]);
  expect(leadsThrough({ to: [], notTo: [], via: "bastion" }, "spare")).toBe(false);
});
