// Simulates how an agent gets onto a host that has only a shell, with one step each second.
import type { InstallStep } from "../lib/types/InstallStep";
import type { InstallView } from "../lib/types/InstallView";

export const AGENT_SIZE = 1_450_000;
const EACH_SECOND = 150_000;

/** The step one second later; undefined if the agent has started. */
export function later({ step, kept, size }: InstallView): InstallView | undefined {
  const next = (step: InstallStep, kept = 0, size = 0) => ({ step, kept, size });
  switch (step) {
    case "connect":
      return next("upload", 0, AGENT_SIZE);
    case "upload":
      return kept < size ? { ...next("upload", Math.min(size, kept + EACH_SECOND), size), perSecond: EACH_SECOND } : next("verify");
    case "verify":
      return next("start");
    case "start":
      return undefined;
  }
}
