// The marks of all kinds of states. They are in one place, so that states with the same meaning look the same
// everywhere.
import type { RowState } from "../lib/flow";
import type { FarState, PortState } from "../lib/portState";
import type { FlowOutcome } from "../lib/types/FlowOutcome";
import type { HostState } from "../lib/types/HostState";
import type { Look } from "./Mark.svelte";

export const HOST_LOOKS: Record<HostState, Look> = {
  starting: { shape: "ring", tone: "grey" },
  greeting: { shape: "half", tone: "grey" },
  configuring: { shape: "threeQuarters", tone: "grey" },
  ready: { shape: "disc", tone: "ok" },
  degraded: { shape: "triangle", tone: "warn" },
  waiting: { shape: "clock", tone: "warn" },
  needsYou: { shape: "diamond", tone: "accent" },
  refused: { shape: "cross", tone: "bad" },
  stopped: { shape: "square", tone: "grey" },
};

export const FLOW_LOOKS: Record<RowState, Look> = {
  opening: { shape: "half", tone: "warn" },
  open: { shape: "disc", tone: "ok" },
  closing: { shape: "ring", tone: "grey" },
  closed: { shape: "bar", tone: "grey" },
};

export const OUTCOME_LOOKS: Record<FlowOutcome, Look> = {
  closed: { shape: "bar", tone: "grey" },
  resetByFrom: { shape: "half", tone: "grey" },
  resetByTo: { shape: "half", tone: "warn" },
  refused: { shape: "cross", tone: "bad" },
  timedOut: { shape: "clock", tone: "warn" },
  denied: { shape: "cross", tone: "bad" },
  unavailable: { shape: "dashes", tone: "warn" },
  lost: { shape: "triangle", tone: "warn" },
  killed: { shape: "square", tone: "grey" },
};

/** The marks that say whether the hosts listen on a published port. */
export const LISTENING_LOOKS: Record<PortState["kind"], Look> = {
  open: { shape: "disc", tone: "ok" },
  partly: { shape: "half", tone: "warn" },
  closed: { shape: "cross", tone: "bad" },
  unknown: { shape: "dashes", tone: "grey" },
};

/** The marks that say what is known of the service behind a published port. */
export const SERVICE_LOOKS: Record<FarState["outcome"], Look> = {
  answered: { shape: "disc", tone: "ok" },
  refused: { shape: "cross", tone: "bad" },
  timedOut: { shape: "clock", tone: "warn" },
  untried: { shape: "ring", tone: "grey" },
};
