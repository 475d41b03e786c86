// The kinds of states by which hosts are filtered.
import { isUp, needsAttention } from "../../lib/truth";
import type { HostView } from "../../lib/types/HostView";

export const STANDINGS = ["all", "up", "down", "stopped", "attention"] as const;
export type Standing = (typeof STANDINGS)[number];

/** Whether a host belongs to those that are asked for. A stopped host is not down, because a person has stopped it. */
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
