import { expect, it } from "vitest";

import type { HostState } from "./types/HostState";
import type { HostView } from "./types/HostView";
import type { Trouble } from "./types/Trouble";
import type { TroubleCode } from "./types/TroubleCode";
import { farState, portLook, portState } from "./portState";

function host(name: string, last: number, state: HostState, ...troubles: Trouble[]): HostView {
  const traffic = { flows: 0, bytesFrom: 0, bytesTo: 0, refused: 0, malformed: 0, spoofed: 0, stray: 0, shed: 0 };
  return { name, vip: `127.0.42.${last}`, ports: [80], state, sinceMs: 0, troubles, prompts: [], stderr: [], traffic };
}

function trouble(address: string, code: TroubleCode = "listen"): Trouble {
  return { code, what: `cannot listen on ${address}: in use`, address };
}

const TAKEN = trouble("127.0.42.101:80");

it("a port is open while all agents listen for it", () => {
  const web1 = host("web1", 101, "ready");
  expect(portState(web1, 80, [web1, host("db", 102, "ready")])).toEqual({ kind: "open" });
});

it("a port that one agent cannot listen on is open elsewhere, and the trouble is told", () => {
  const web1 = host("web1", 101, "ready");
  const db = host("db", 102, "degraded", trouble("127.0.0.1:80", "proxy"), TAKEN);
  expect(portState(web1, 80, [web1, db])).toEqual({ kind: "partly", where: [{ host: "db", trouble: TAKEN }] });
});

it("a port that no agent can listen on is closed; hosts that are not up have no say", () => {
  const web1 = host("web1", 101, "degraded", TAKEN);
  const all = [web1, host("db", 102, "degraded", TAKEN), host("gone", 103, "waiting", TAKEN)];
  expect(portState(web1, 80, all)).toEqual({ kind: "closed", where: ["web1", "db"].map((name) => ({ host: name, trouble: TAKEN })) });
});

it("other ports, other hosts, other protocols and the words of other versions are not meant", () => {
  const older: Trouble = { code: "reported", what: TAKEN.what };
  const db = host("db", 102, "degraded", trouble("127.0.42.101:8080"), trouble("127.0.42.102:80"), trouble("127.0.42.101:80", "dns"), older);
  const web1 = host("web1", 101, "ready");
  expect(portState(web1, 80, [web1, db])).toEqual({ kind: "open" });
});

it.each(["starting", "greeting", "configuring", "waiting", "needsYou", "refused", "stopped"] as const)("nothing is known of the ports of a host that is %s", (state) => {
  const web1 = host("web1", 101, state);
  const db = host("db", 102, "degraded", TAKEN);
  expect(portState(web1, 80, [web1, db])).toEqual({ kind: "unknown" });
});

it("what is known of the service comes from the last attempt, and the listeners come first", () => {
  const web1: HostView = { ...host("web1", 101, "ready"), ports: [80, 81, 82], tried: [{ port: 80, outcome: "refused", atMs: 5 }, { port: 81, outcome: "answered", atMs: 6 }] };
  expect([80, 81, 82].map((port) => farState(web1, port).outcome)).toEqual(["refused", "answered", "untried"]);
  expect([80, 81, 82].map((port) => portLook(web1, port, [web1]))).toEqual(["refused", "answered", "untried"]);
  expect(portLook(web1, 80, [web1, host("db", 102, "degraded", TAKEN)])).toBe("deaf");
});
