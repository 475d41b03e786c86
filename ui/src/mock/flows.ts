// Flows between the hosts of the scene. Some live long, and some come and go. With `/?flows=10000`, there are that many
// flows.
import type { EndedFlowView } from "../lib/types/EndedFlowView";
import type { FlowOutcome } from "../lib/types/FlowOutcome";
import type { FlowView } from "../lib/types/FlowView";
import type { Refused } from "../lib/types/Refused";
import type { Commands } from "./commands";
import { Chance } from "./chance";
import type { World } from "./world";

type Kind = { port: number; kbFrom: number; kbTo: number; rttMs: number };

const KINDS: Kind[] = [
  { port: 8080, kbFrom: 4, kbTo: 95, rttMs: 14 },
  { port: 443, kbFrom: 2, kbTo: 40, rttMs: 32 },
  { port: 5432, kbFrom: 9, kbTo: 60, rttMs: 19 },
  { port: 22, kbFrom: 1, kbTo: 1, rttMs: 38 },
  { port: 9090, kbFrom: 0, kbTo: 700, rttMs: 90 },
];
/**
 * Destinations outside the network, and the patterns of the routes that lead to them. The last destination was
 * requested by name.
 */
const OUTSIDE = [
  { dst: "10.20.4.17:443", rule: "10.20.0.0/16" },
  { dst: "10.20.7.2:5432", rule: "10.20.0.0/16" },
  { dst: "10.20.1.80:8080", rule: "10.20.0.0/16" },
  { dst: "10.64.12.9:6443", rule: "*.corp.example" },
];

/** The outcomes of short connections, in turn. */
const OUTCOMES: FlowOutcome[] = ["closed", "closed", "refused", "closed", "resetByTo", "closed", "timedOut", "closed", "denied", "closed", "unavailable", "closed", "lost"];

export function flowCommands(world: World): Commands {
  const wanted = Number(new URLSearchParams(location.search).get("flows") ?? 64);
  const isUp = world.scene.actors.some((actor) => actor.state === "ready" || actor.state === "degraded");
  const made = new Traffic(world, isUp && Number.isFinite(wanted) ? wanted : 0);
  return {
    flows: ({ limit }) => made.view(Number(limit)),
    ended_flows: ({ limit }) => made.recent(Number(limit)),
    kill_flow: ({ id }) => made.kill(String(id)),
  };
}

class Traffic {
  readonly #chance = new Chance(11);
  #flows: FlowView[] = [];
  #ended: EndedFlowView[] = [];
  #port = 41_000;

  constructor(
    private readonly world: World,
    private readonly wanted: number,
  ) {
    for (let n = 0; n < wanted; n += 1) {
      this.#flows.push(this.#born(this.#chance.next() ** 4 * 9_000_000));
    }
    // The flows get a history, so that their bytes fit their ages.
    this.#flows.forEach((flow) => this.#move(flow, flow.ageMs / 1000));
    // Short connections that no poll has seen, and some connections that failed.
    for (let n = wanted; n > 0; n -= 1) {
      const outcome = OUTCOMES[n % OUTCOMES.length] as FlowOutcome;
      const flow = { ...this.#born(outcome === "timedOut" ? 30_000 : 3 + ((n * 37) % 900)), bytesFrom: 90 + n, bytesTo: (n * 7919) % 40_000, rttUs: 9_000 + n };
      this.#end(flow, outcome, n * 4_000);
    }
  }

  view(limit: number) {
    if (!this.world.still) {
      this.#tick();
    }
    return { total: this.#flows.length, flows: structuredClone(this.#flows.slice(0, limit)) };
  }

  recent(limit: number) {
    if (!this.world.still) {
      this.#tick();
    }
    return { nowMs: this.world.nowMs, ended: structuredClone(this.#ended.slice(-limit)) };
  }

  /** Notes the end of a flow, as the switch does. */
  #end(flow: FlowView, outcome: FlowOutcome, agoMs = 0): void {
    const { id, from, to, src, dst, name, via, rttUs, ageMs } = flow;
    const failed = outcome === "refused" || outcome === "timedOut" || outcome === "denied";
    const [bytesFrom, bytesTo] = failed ? [0, 0] : [flow.bytesFrom, flow.bytesTo];
    this.#ended.push({ id, from, to, src, dst, name, via, outcome, bytesFrom, bytesTo, lastedMs: ageMs, endedMs: this.world.nowMs - agoMs, rttUs: failed ? undefined : rttUs });
  }

  kill(id: string): void {
    const mine = this.#flows.find((flow) => flow.id === id);
    if (mine !== undefined) {
      this.#end(mine, "killed");
    }
    const before = this.#flows.length;
    this.#flows = this.#flows.filter((flow) => flow.id !== id);
    if (this.#flows.length === before) {
      throw { code: "noFlow", text: `There is no flow "${id}" any more.` } satisfies Refused;
    }
  }

  #tick(): void {
    for (const flow of this.#flows) {
      flow.ageMs += 1000;
      this.#move(flow, 1);
    }
    const ends = Math.min(4, Math.ceil(this.wanted / 40));
    const over = new Set(this.#flows.filter((flow, at) => flow.state === "closing" || (at % 17 === 3 && this.#chance.next() < ends / 12)));
    for (const flow of over) {
      this.#end(flow, "closed");
    }
    this.#flows = this.#flows.filter((flow) => !over.has(flow));
    while (this.#flows.length < this.wanted && this.#chance.next() < 0.7) {
      this.#flows.unshift(this.#born(0));
    }
  }

  #move(flow: FlowView, seconds: number): void {
    const kind = KINDS[Number(flow.src.slice(-2)) % KINDS.length] as Kind;
    const busy = Number(flow.src.slice(-3)) % 10 < 4 ? this.#chance.between(0.1, 2.2) : 0;
    if (flow.state === "opening" && flow.ageMs > 1000) {
      flow.state = "open";
      flow.rttUs = Math.round(kind.rttMs * 1000 * this.#chance.between(0.7, 1.6));
    } else if (flow.state === "open" && this.#chance.next() < 0.01) {
      flow.state = "closing";
    }
    flow.rateFrom = flow.state === "open" ? Math.round(kind.kbFrom * 1000 * busy) : 0;
    flow.rateTo = flow.state === "open" ? Math.round(kind.kbTo * 1000 * busy) : 0;
    flow.bytesFrom += Math.round(flow.rateFrom * seconds) + 60;
    flow.bytesTo += Math.round(flow.rateTo * seconds) + 90;
    flow.packets = Math.ceil((flow.bytesFrom + flow.bytesTo) / 1100);
    flow.idleMs = busy === 0 ? Math.min(flow.ageMs, flow.idleMs + seconds * 1000) : 0;
  }

  #born(ageMs: number): FlowView {
    const up = this.world.scene.actors.filter((actor) => actor.state === "ready" || actor.state === "degraded");
    const from = this.#chance.pick(up).plan;
    const gateway = up.find((actor) => actor.plan.gateway)?.plan;
    const publishing = up.filter((actor) => actor.plan.publishes.length > 0 && actor.plan !== from);
    this.#port = this.#port >= 60_999 ? 20_000 : this.#port + 1;
    const src = `${from.vip}:${this.#port}`;
    const isOut = gateway !== undefined && gateway !== from && this.#chance.next() < 0.25;
    const to = isOut || publishing.length === 0 ? (gateway ?? from) : this.#chance.pick(publishing).plan;
    const port = to.publishes.length === 0 ? 10_053 : this.#chance.pick(to.publishes).port;
    const outside = isOut ? this.#chance.pick(OUTSIDE) : null;
    const dst = outside?.dst ?? `${to.vip}:${port}`;
    return {
      id: `${src}-${dst}`,
      from: from.name,
      to: to.name,
      src,
      dst,
      name: isOut ? dst : `${to.name}:${port === 10_053 ? "dns" : port}`,
      via: isOut ? to.name : undefined,
      rule: outside?.rule,
      state: "opening",
      bytesFrom: 0,
      bytesTo: 0,
      rateFrom: 0,
      rateTo: 0,
      packets: 1,
      ageMs: Math.round(ageMs),
      idleMs: 0,
    };
  }
}
