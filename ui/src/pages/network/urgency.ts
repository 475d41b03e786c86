// The order in which the states of hosts need attention, and the summary of a group of hosts in a few figures.
import { isUp } from "../../lib/truth";
import type { HostState } from "../../lib/types/HostState";

/** All states, the most urgent first. */
export const URGENCY: readonly HostState[] = ["needsYou", "refused", "waiting", "degraded", "starting", "greeting", "configuring", "ready", "stopped"];

/** The states that the summary of a group does not mention: the hosts are well, or will be in a moment. */
const QUIET: readonly HostState[] = ["starting", "greeting", "configuring", "ready"];

export type Tally = { up: number; all: number; troubles: [HostState, number][] };

export function tallyOf(states: readonly HostState[]): Tally {
  const counted = URGENCY.filter((state) => !QUIET.includes(state)).map((state): [HostState, number] => [state, states.filter((one) => one === state).length]);
  return { up: states.filter((state) => isUp({ state })).length, all: states.length, troubles: counted.filter(([, count]) => count > 0) };
}
