// Which states of hosts need a look first, and the hosts of a group in a few figures.
import { isUp } from "../../lib/truth";
import type { HostState } from "../../lib/types/HostState";

/** All states, the most urgent first. */
export const URGENCY: readonly HostState[] = ["needsYou", "refused", "waiting", "degraded", "starting", "greeting", "configuring", "ready", "stopped"];

/** The states that are not told of a group: hosts that are well, or will be in a moment. */
const QUIET: readonly HostState[] = ["starting", "greeting", "configuring", "ready"];

export type Tally = { up: number; all: number; troubles: [HostState, number][] };

export function tallyOf(states: readonly HostState[]): Tally {
  const counted = URGENCY.filter((state) => !QUIET.includes(state)).map((state): [HostState, number] => [state, states.filter((one) => one === state).length]);
  return { up: states.filter((state) => isUp({ state })).length, all: states.length, troubles: counted.filter(([, count]) => count > 0) };
}
