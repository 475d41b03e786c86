// Finds out from the flows of the network which hosts are connected to each other now.
import type { FlowView } from "../../lib/types/FlowView";

/**
 * Two hosts, and the flows between them. Both directions are counted together. `a` comes before `b` in the alphabet.
 */
export type Pair = { a: string; b: string; flows: number; rate: number };

export function pairsOf(flows: readonly FlowView[]): Pair[] {
  const found = new Map<string, Pair>();
  for (const { from, to, rateFrom, rateTo } of flows) {
    if (from === to) {
      continue;
    }
    const [a, b] = from < to ? [from, to] : [to, from];
    const key = JSON.stringify([a, b]);
    const pair = found.get(key) ?? { a, b, flows: 0, rate: 0 };
    pair.flows += 1;
    pair.rate += rateFrom + rateTo;
    found.set(key, pair);
  }
  return Array.from(found.values());
}

/**
 * Adds up all pairs that are drawn as one line, because each of its ends is one box: a host, or a folded group of
 * hosts. `shown` names the box that stands for a host. Pairs inside one box are left out, and so are pairs with a host
 * that is not drawn.
 */
export function joined(all: readonly Pair[], shown: (host: string) => string | undefined): Pair[] {
  const found = new Map<string, Pair>();
  for (const pair of all) {
    const ends = [shown(pair.a), shown(pair.b)].toSorted();
    const [a, b] = ends;
    if (a === undefined || b === undefined || a === b) {
      continue;
    }
    const key = JSON.stringify(ends);
    const before = found.get(key);
    found.set(key, { a, b, flows: pair.flows + (before?.flows ?? 0), rate: pair.rate + (before?.rate ?? 0) });
  }
  return Array.from(found.values());
}

/**
 * The width of the line for a rate, in pixels: 1 for rates up to 100 bytes per second, and 1 more for each further
 * factor of ten, but at most 6. It is rounded to half pixels.
 */
export function lineWidth(rate: number): number {
  const wide = rate < 100 ? 1 : Math.min(6, Math.log10(rate) - 1);
  return Math.round(wide * 2) / 2;
}
