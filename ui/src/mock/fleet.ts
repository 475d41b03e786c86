// Networks of any size: `/?scene=hosts-150`. As in real fleets, the names have prefixes, and the hosts are reached in
// different ways.
import type { HostState } from "../lib/types/HostState";
import type { TriedPort } from "../lib/types/TriedPort";
import { WHY, planned, type Actor, type Scene } from "./scenes";

/** The kinds of hosts, in turn: the beginning of their names, and how they are reached. */
const KINDS: [string, (name: string) => string][] = [
  ["prod-eu-db", (name) => `ssh -J jump-eu.example.com ${name}.example.com -- norouter`],
  ["prod-eu-web", (name) => `ssh -J jump-eu.example.com ${name}.example.com -- norouter`],
  ["prod-us-web", (name) => `ssh -J jump-us.example.com ${name}.example.com -- norouter`],
  ["prod-us-queue", (name) => `ssh -J jump-us.example.com ${name}.example.com -- norouter`],
  ["staging-api", (name) => `kubectl --context=staging exec -i deploy/${name} -- norouter`],
  ["lab", (name) => `ssh ${name}.lab.example.com -- norouter`],
  ["ci-runner", (name) => `podman exec -i ${name} norouter`],
];
/** The states of the hosts with troubles. One of ten hosts has a trouble. */
const TROUBLES: HostState[] = ["waiting", "degraded", "refused", "waiting", "stopped", "needsYou"];
const PORTS = [[5432], [80, 443], [8080], [5672, 15_672], [8080, 9090, 9100], [22], []];

export function fleet(count: number): Scene {
  const laptop: Actor = {
    plan: planned("laptop", 100, "", { publishes: [{ port: 3000, target: "127.0.0.1:3000" }], http: "127.0.0.1:18080", dns: "127.0.0.1:18053" }),
    state: "ready",
    latencyMs: 0.06,
    busyKb: 400,
  };
  const others = Array.from({ length: Math.max(0, count - 1) }, (_, index): Actor => {
    const kind = index % KINDS.length;
    const [prefix, command] = KINDS[kind] as (typeof KINDS)[number];
    const number = Math.floor(index / KINDS.length) + 1;
    const name = `${prefix}-${String(number).padStart(2, "0")}`;
    const isLong = index % 29 === 5;
    const full = isLong ? `${name}.eu-central-1.compute.example.internal` : name;
    const state = count > 1 && index % 10 === 7 ? (TROUBLES[Math.floor(index / 10) % TROUBLES.length] as HostState) : "ready";
    const ports = PORTS[kind] as number[];
    const tried = ports.slice(0, 1).map((port): TriedPort => ({ port, outcome: index % 11 === 3 ? "refused" : "answered", atMs: 4_000_000 }));
    return {
      plan: planned(full, 101 + index, command(full), {
        publishes: ports.map((port) => ({ port, target: `127.0.0.1:${port}` })),
        gateway: index === 5 || index === 9,
      }),
      state,
      latencyMs: 2 + ((index * 13) % 90),
      busyKb: index % 4 === 0 ? (index * 37) % 900 : 0,
      extra: { ...(state === "needsYou" ? ASKS : (WHY[state] ?? {})), tried },
    };
  });
  const gateways = [laptop, ...others].filter((actor) => actor.plan.gateway).map((actor) => actor.plan.name);
  return {
    name: "fleet",
    file: "/srv/networks/fleet.yaml",
    actors: [laptop, ...others].slice(0, count),
    routes: gateways.map((via, index) => ({ to: [`10.${20 + index}.0.0/16`, "*.corp.example"].slice(0, 2 - index), notTo: [], via })),
  };
}

const ASKS: Actor["extra"] = {
  reason: "its command asks: ops@bastion's password:",
  troubles: [{ code: "asks", what: "its command asks: ops@bastion's password:" }],
  prompts: [{ id: 3, kind: "secret", text: "ops@bastion's password:" }],
};
