// Which hosts talk to each other now, from the flows of the network.
import type { FlowView } from "../../lib/types/FlowView";

/** The flows between two hosts, in both directions together. `a` comes before `b` in the alphabet. */
export type Talk = { a: string; b: string; flows: number; rate: number };

export function talks(flows: readonly FlowView[]): Talk[] {
  const found = new Map<string, Talk>();
  for (const { from, to, rateFrom, rateTo } of flows) {
    if (from === to) {
      continue;
    }
    const [a, b] = from < to ? [from, to] : [to, from];
    const key = JSON.stringify([a, b]);
    const talk = found.get(key) ?? { a, b, flows: 0, rate: 0 };
    talk.flows += 1;
    talk.rate += rateFrom + rateTo;
    found.set(key, talk);
  }
  return Array.from(found.values());
}

/**
 * Joins talks whose ends are shown as one thing, such as a folded group. `shown` names the thing that shows a host; talks
 * inside of one thing are left out, and so are those of hosts that are not shown.
 */
export function joined(all: readonly Talk[], shown: (host: string) => string | undefined): Talk[] {
  const found = new Map<string, Talk>();
  for (const talk of all) {
    const ends = [shown(talk.a), shown(talk.b)].toSorted();
    const [a, b] = ends;
    if (a === undefined || b === undefined || a === b) {
      continue;
    }
    const key = JSON.stringify(ends);
    const before = found.get(key);
    found.set(key, { a, b, flows: talk.flows + (before?.flows ?? 0), rate: talk.rate + (before?.rate ?? 0) });
  }
  return Array.from(found.values());
}

/** The width of the line for a rate, in pixels: 1 for idle flows, and one more for ten times the rate, in half pixels. */
export function lineWidth(rate: number): number {
  const wide = rate < 100 ? 1 : Math.min(6, Math.log10(rate) - 1);
  return Math.round(wide * 2) / 2;
}
