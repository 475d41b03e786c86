// How an agent gets onto a host that has only a shell, one step a second.
import type { InstallStep } from "../lib/types/InstallStep";
import type { InstallView } from "../lib/types/InstallView";

export const AGENT_SIZE = 4_150_000;
const EACH_SECOND = 450_000;

/** What is done a second later; undefined if the agent has started. */
export function later({ step, kept, size }: InstallView): InstallView | undefined {
  const next = (step: InstallStep, kept = 0, size = 0) => ({ step, kept, size });
  switch (step) {
    case "connect":
      return next("upload", 0, AGENT_SIZE);
    case "upload":
      return kept < size ? next("upload", Math.min(size, kept + EACH_SECOND), size) : next("verify");
    case "verify":
      return next("start");
    case "start":
      return undefined;
  }
}
