// Says in words how an agent gets onto a host that has only a shell.
import { countdown, part, rate } from "./format";
import { t } from "./strings";
import type { InstallView } from "./types/InstallView";

/** The present step in words: `Sending the agent, 1.2 of 4.1 MB, 700 kB/s, 5 s left`. */
export function installing({ step, kept, size, perSecond }: InstallView): string {
  if (step !== "upload") {
    return t.host.install[step];
  }
  const sent = t.host.install.upload(part(kept, size));
  const rest = 1000 * Math.max(0, size - kept);
  return perSecond ? t.host.install.pace(sent, rate(perSecond), countdown(rest / perSecond)) : sent;
}

/** How much of the agent is already on the host, as a number from 0 to 1; null if the agent is not being sent. */
export function sentPart({ step, kept, size }: InstallView): number | null {
  return step === "upload" && size > 0 ? Math.min(1, kept / size) : null;
}
