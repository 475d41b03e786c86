import { expect, it } from "vitest";
import { holds, routeOf } from "./routes";
import type { FlowView } from "./types/FlowView";

const routes = [
  { to: ["10.0.0.0/8"], notTo: [], via: "bastion" },
  { to: ["*.corp", "10.20.0.0/16"], notTo: ["10.20.9.0/24"], via: "gke", orVia: ["spare"] },
];

function of(dst: string, via?: string) {
  return routeOf(routes, { dst, via } as FlowView);
}

it("the last route that leads somewhere is the rule of a flow", () => {
  expect(of("10.20.0.1:443", "gke")).toEqual({ to: "10.20.0.0/16", via: "gke" });
  expect(of("10.20.9.1:443", "bastion")).toEqual({ to: "10.0.0.0/8", via: "bastion" });
  expect(of("10.20.0.1:443", "spare")).toEqual({ to: "10.20.0.0/16", via: "spare" });
  expect(of("192.0.2.1:443", "gke")).toBeNull();
  expect(of("127.0.42.101:80")).toBeNull();
});

it("a block holds its addresses and no others", () => {
  expect(holds("192.168.95.0/24", "192.168.95.255")).toBe(true);
  expect(holds("192.168.95.0/24", "192.168.96.0")).toBe(false);
  expect(holds("0.0.0.0/0", "255.255.255.255")).toBe(true);
  expect(holds("10.0.0.1/32", "10.0.0.1")).toBe(true);
  for (const [block, address] of [["*.corp", "10.0.0.1"], ["10.0.0.0/8", "db.corp"], ["10.0.0.0/33", "10.0.0.1"], ["10.0.0.300/8", "10.0.0.1"], ["fe80::/10", "10.0.0.1"]] as const) {
    expect(holds(block, address), block).toBe(false);
  }
});
