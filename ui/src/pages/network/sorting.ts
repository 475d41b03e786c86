// The order of the hosts in the list.
import type { Sample } from "../../lib/truth";
import type { HostView } from "../../lib/types/HostView";
import type { Column } from "./view.svelte";

const texts = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
/** States that need a look come first. */
const URGENCY = ["needsYou", "refused", "waiting", "degraded", "starting", "greeting", "configuring", "ready", "stopped"];

export type Row = { host: HostView; last: Sample | undefined; way: string };

/** The rows in an order; those that are equal stay in the order of the manifest. */
export function sorted(rows: readonly Row[], sort: { column: Column; down: boolean } | null): Row[] {
  if (sort === null) {
    return [...rows];
  }
  const compare = comparison(sort.column);
  return rows.toSorted((a, b) => (sort.down ? -1 : 1) * compare(a, b));
}

function comparison(column: Column): (a: Row, b: Row) => number {
  const number = (of: (row: Row) => number) => (a: Row, b: Row) => of(a) - of(b);
  switch (column) {
    case "host":
      return (a, b) => texts.compare(a.host.name, b.host.name);
    case "state":
      return number(({ host }) => URGENCY.indexOf(host.state));
    case "address":
      return (a, b) => texts.compare(a.host.vip, b.host.vip);
    case "way":
      return (a, b) => texts.compare(a.way, b.way);
    case "ports":
      return number(({ host }) => host.ports[0] ?? 65_536);
    case "latency":
      return number(({ host }) => host.latencyUs ?? -1);
    case "sends":
      return number(({ last }) => last?.rateFrom ?? 0);
    case "receives":
      return number(({ last }) => last?.rateTo ?? 0);
    case "flows":
      return number(({ host }) => host.traffic.flows);
    case "since":
      // The shortest time first: what has changed last.
      return number(({ host }) => -host.sinceMs);
  }
}
