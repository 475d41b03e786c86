// The hosts of a group in a few figures.
import { isUp } from "../../lib/truth";
import type { HostState } from "../../lib/types/HostState";

export type Tally = { up: number; all: number; troubles: [HostState, number][] };

/** The states that are told of a group, the most urgent first. */
const TOLD: HostState[] = ["needsYou", "refused", "waiting", "degraded", "stopped"];

export function tallyOf(states: readonly HostState[]): Tally {
  const troubles = TOLD.map((state): [HostState, number] => [state, states.filter((one) => one === state).length]);
  return { up: states.filter((state) => isUp({ state })).length, all: states.length, troubles: troubles.filter(([, count]) => count > 0) };
}
