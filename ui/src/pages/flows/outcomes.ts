// The marks for the outcomes of flows.
import type { Look } from "../../components/Mark.svelte";
import type { FlowOutcome } from "../../lib/types/FlowOutcome";

const LOOKS: Record<FlowOutcome, Look> = {
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

export function outcomeLook(outcome: FlowOutcome): Look {
  return LOOKS[outcome];
}
