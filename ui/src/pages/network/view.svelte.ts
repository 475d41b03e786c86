// The view of the network that the person has chosen. It is kept while another page is shown.
import { isUp, needsAttention } from "../../lib/truth";
import type { HostView } from "../../lib/types/HostView";
import type { Grouping } from "./groups";
import type { Viewport } from "./viewport";

export const STANDINGS = ["all", "up", "down", "stopped", "attention"] as const;
export type Standing = (typeof STANDINGS)[number];

export const COLUMNS = ["host", "state", "address", "way", "ports", "latency", "sends", "receives", "flows", "since"] as const;
export type Column = (typeof COLUMNS)[number];

class View {
  kind = $state<"graph" | "list">("graph");
  filter = $state("");
  standing = $state<Standing>("all");
  grouping = $state<Grouping>("none");
  /** The keys of the groups that are folded. */
  folded = $state.raw<ReadonlySet<string>>(new Set());
  /** What of the picture is in sight, if the person has chosen that; `null` if all of it is. */
  viewport = $state.raw<Viewport | null>(null);
  /** The order of the list; `null` is the order of the manifest. */
  sort = $state.raw<{ column: Column; down: boolean } | null>(null);

  group(by: Grouping): void {
    this.grouping = by;
    this.folded = new Set();
    this.viewport = null;
  }

  fold(key: string): void {
    const folded = new Set(this.folded);
    if (!folded.delete(key)) {
      folded.add(key);
    }
    this.folded = folded;
    this.viewport = null;
  }

  /** Sorts by a column: first in the direction in which people look for it, then in the other one, then not at all. */
  sortBy(column: Column): void {
    const first = ["latency", "sends", "receives", "flows"].includes(column);
    const { sort } = this;
    if (sort?.column !== column) {
      this.sort = { column, down: first };
    } else {
      this.sort = sort.down === first ? { column, down: !first } : null;
    }
  }
}

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

export const view = new View();
