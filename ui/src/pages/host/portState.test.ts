import { expect, it } from "vitest";

import type { HostState } from "../../lib/types/HostState";
import type { HostView } from "../../lib/types/HostView";
import { portState } from "./portState";

const IN_USE = "address already in use: another program on that machine, perhaps another agent, has this port";

function host(name: string, last: number, state: HostState, ...problems: string[]): HostView {
  const traffic = { flows: 0, bytesFrom: 0, bytesTo: 0, refused: 0, malformed: 0, spoofed: 0, stray: 0, shed: 0 };
  return { name, vip: `127.0.42.${last}`, ports: [80], state, sinceMs: 0, problems, prompts: [], stderr: [], traffic };
}

it("a port is open while all agents listen for it", () => {
  const web1 = host("web1", 101, "ready");
  expect(portState(web1, 80, [web1, host("db", 102, "ready")])).toEqual({ kind: "open" });
});

it("a port that one agent cannot listen on is open elsewhere, and the reason is told", () => {
  const web1 = host("web1", 101, "ready");
  const db = host("db", 102, "degraded", "cannot serve the HTTP proxy on 127.0.0.1:80: in use", `cannot listen on 127.0.42.101:80: ${IN_USE}`);
  expect(portState(web1, 80, [web1, db])).toEqual({ kind: "partly", where: [{ host: "db", reason: IN_USE }] });
});

it("a port that no agent can listen on is closed; hosts that are not up have no say", () => {
  const problem = "cannot listen on 127.0.42.101:80: permission denied; publish a higher one";
  const web1 = host("web1", 101, "degraded", problem);
  const all = [web1, host("db", 102, "degraded", problem), host("gone", 103, "waiting", problem)];
  expect(portState(web1, 80, all)).toEqual({
    kind: "closed",
    where: ["web1", "db"].map((name) => ({ host: name, reason: "permission denied; publish a higher one" })),
  });
});

it("other ports, other hosts and other protocols are not meant", () => {
  const db = host("db", 102, "degraded", "cannot listen on 127.0.42.101:8080: in use", "cannot listen on 127.0.42.102:80: in use", "cannot listen on 127.0.42.101:80 (UDP): in use");
  const web1 = host("web1", 101, "ready");
  expect(portState(web1, 80, [web1, db])).toEqual({ kind: "open" });
});

it.each(["starting", "greeting", "configuring", "waiting", "needsYou", "refused", "stopped"] as const)("nothing is known of the ports of a host that is %s", (state) => {
  const web1 = host("web1", 101, state);
  const db = host("db", 102, "degraded", `cannot listen on 127.0.42.101:80: ${IN_USE}`);
  expect(portState(web1, 80, [web1, db])).toEqual({ kind: "unknown" });
});
