// How an agent gets onto a host that has only a shell, in words.
import { part } from "./format";
import { t } from "./strings";
import type { InstallView } from "./types/InstallView";

/** What is being done: `Sending the agent, 1.2 of 4.1 MB`. */
export function installing({ step, kept, size }: InstallView): string {
  return step === "upload" ? t.host.install.upload(part(kept, size)) : t.host.install[step];
}

/** How much of the agent the host has, as a number from 0 to 1; null unless it is being sent. */
export function sentPart({ step, kept, size }: InstallView): number | null {
  return step === "upload" && size > 0 ? Math.min(1, kept / size) : null;
}
