// The order of the hosts in the list.
import type { Sample } from "../../lib/truth";
import type { HostView } from "../../lib/types/HostView";
import { URGENCY } from "./urgency";

export const COLUMNS = ["host", "state", "address", "path", "ports", "latency", "sends", "receives", "flows", "since"] as const;
export type Column = (typeof COLUMNS)[number];

const texts = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

export type Row = { host: HostView; last: Sample | undefined; path: string };

/** The rows, sorted. Equal rows stay in the order of the manifest. */
export function sorted(rows: readonly Row[], sort: { column: Column; down: boolean } | null): Row[] {
  if (sort === null) {
    return [...rows];
  }
  const compare = comparison(sort.column);
  return rows.toSorted((a, b) => (sort.down ? -1 : 1) * compare(a, b));
}

/** Whether the largest value of a column should come first. */
export function firstDown(column: Column): boolean {
  return ["latency", "sends", "receives", "flows"].includes(column);
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
    case "path":
      return (a, b) => texts.compare(a.path, b.path);
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
      // The shortest time comes first: this is the host that has changed last.
      return number(({ host }) => -host.sinceMs);
  }
}
