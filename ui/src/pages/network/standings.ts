// The kinds of states by which hosts can be filtered.
import { isUp, needsAttention } from "../../lib/truth";
import type { HostView } from "../../lib/types/HostView";

export const STANDINGS = ["all", "up", "down", "stopped", "attention"] as const;
export type Standing = (typeof STANDINGS)[number];

/** Whether the filter shows a host. A stopped host does not count as down, because a person has stopped it. */
export function stands(host: HostView, standing: Standing): boolean {
  switch (standing) {
    case "all":
      return true;
    case "up":
      return isUp(host);
    case "down":
      return !isUp(host) && host.state !== "stopped";
    case "stopped":
      return host.state === "stopped";
    case "attention":
      return needsAttention(host);
  }
}
