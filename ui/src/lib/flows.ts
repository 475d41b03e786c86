// The table of flows, from one poll to the next. It adds new flows, keeps ended flows for a while, sorts and filters.
// It uses neither the page nor a clock, so that tests can set the time.
import { bytesOf, endedRow, portOf, type Row, ruleOf, stateOf } from "./flow";
import { type Filter, passes } from "./flowFilter";
import type { EndedFlowsView } from "./types/EndedFlowsView";
import type { FlowsView } from "./types/FlowsView";

/** How long a flow that has ended is still shown, in milliseconds. */
export const KEEP_CLOSED_MS = 15_000;

export type Table = {
  rows: Row[];
  /** The number of all flows, including those that the manager has not sent. */
  total: number;
  next: number;
};

export const EMPTY: Table = { rows: [], total: 0, next: 1 };

/**
 * Updates the table with an answer of the manager. A flow that is missing in the answer has ended, unless the answer
 * contains only a part of all flows.
 */
export function merge(table: Table, view: FlowsView, now: number, keepClosedMs = KEEP_CLOSED_MS): Table {
  const known = new Map<string, Row>();
  for (const row of table.rows) {
    if (row.closedAt === null) {
      known.set(row.flow.id, row);
    }
  }
  let next = table.next;
  const live: Row[] = [];
  for (const flow of view.flows) {
    const before = known.get(flow.id);
    // Ports are reused. If the age of a flow has become smaller, it is a different flow.
    if (before !== undefined && flow.ageMs >= before.flow.ageMs) {
      known.delete(flow.id);
      live.push({ key: before.key, flow, closedAt: null });
    } else {
      live.push({ key: next, flow, closedAt: null });
      next += 1;
    }
  }
  const complete = view.total <= view.flows.length;
  const over = complete ? Array.from(known.values(), (row) => ended(row, now)) : [];
  const kept = table.rows.filter((row) => row.closedAt !== null && now - row.closedAt < keepClosedMs);
  return { rows: [...live, ...over, ...kept], total: view.total, next };
}

/** The row of a flow that has ended. It keeps its counts, but its rates are zero. */
function ended(row: Row, now: number): Row {
  return { ...row, flow: { ...row.flow, rateFrom: 0, rateTo: 0 }, closedAt: now };
}

export const COLUMNS = ["state", "from", "to", "rule", "via", "rateFrom", "rateTo", "bytes", "rtt", "age"] as const;
export type Column = (typeof COLUMNS)[number];
export type Sort = { column: Column; down: boolean };

/**
 * The order after a click on the header of a column: at first the direction that suits the column, and at the second
 * click the other direction.
 */
export function sortBy(sort: Sort, column: Column): Sort {
  if (sort.column === column) {
    return { column, down: !sort.down };
  }
  // In these columns, the largest number comes first, because people look for it. In the column of ages, the youngest
  // flow comes first.
  return { column, down: ["rateFrom", "rateTo", "bytes", "rtt"].includes(column) };
}

const STATE_ORDER = { opening: 0, open: 1, closing: 2, closed: 3 };
const texts = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/** The rows that a filter lets through, sorted. Equal rows stay in their order. */
export function select(rows: Row[], filter: Filter, sort: Sort): Row[] {
  const passing = filter.terms.length === 0 ? rows.slice() : rows.filter((row) => passes(filter, row));
  const order = comparison(sort.column);
  const sign = sort.down ? -1 : 1;
  return passing.sort((a, b) => sign * order(a, b) || a.key - b.key);
}

function comparison(column: Column): (a: Row, b: Row) => number {
  switch (column) {
    case "state":
      return (a, b) => STATE_ORDER[stateOf(a)] - STATE_ORDER[stateOf(b)];
    case "from":
      return (a, b) => texts.compare(a.flow.from, b.flow.from) || portOf(a.flow.src) - portOf(b.flow.src);
    case "to":
      return (a, b) => texts.compare(a.flow.name, b.flow.name) || texts.compare(a.flow.dst, b.flow.dst);
    case "rule":
      return (a, b) => texts.compare(ruleOf(a.flow), ruleOf(b.flow));
    case "via":
      return (a, b) => texts.compare(a.flow.via ?? "", b.flow.via ?? "");
    case "rateFrom":
      return (a, b) => a.flow.rateFrom - b.flow.rateFrom;
    case "rateTo":
      return (a, b) => a.flow.rateTo - b.flow.rateTo;
    case "bytes":
      return (a, b) => bytesOf(a.flow) - bytesOf(b.flow);
    case "rtt":
      // A round-trip time that is not known yet counts as smaller than any other.
      return (a, b) => (a.flow.rttUs ?? -1) - (b.flow.rttUs ?? -1);
    case "age":
      return (a, b) => a.flow.ageMs - b.flow.ageMs;
  }
}

/** The flows that can be closed: all flows that have not ended. */
export function closable(rows: Row[]): Row[] {
  return rows.filter((row) => row.closedAt === null);
}

/** The row to which a key press moves the selection; null if the table is empty. */
export function moved(rows: Row[], selected: number | null, by: number): Row | null {
  if (rows.length === 0) {
    return null;
  }
  const at = rows.findIndex((row) => row.key === selected);
  const to = at < 0 ? (by < 0 ? rows.length - 1 : 0) : Math.min(Math.max(at + by, 0), rows.length - 1);
  return rows[to] ?? null;
}

/** The flows that have ended, and the time of the manager's clock when it answered. */
export type Recent = { rows: Row[]; nowMs: number; next: number };

export const NONE_RECENT: Recent = { rows: [], nowMs: 0, next: 1 };

/** Updates the ended flows with an answer of the manager. Rows that were known before keep their keys. */
export function mergeRecent(recent: Recent, view: EndedFlowsView): Recent {
  const keys = new Map(recent.rows.map((row) => [`${row.closedAt} ${row.flow.id}`, row.key]));
  let { next } = recent;
  const rows = view.ended.map((ended) => {
    const key = keys.get(`${ended.endedMs} ${ended.id}`) ?? next++;
    return endedRow(key, ended);
  });
  return { rows, nowMs: view.nowMs, next };
}

export const RECENT_COLUMNS = ["state", "from", "to", "via", "bytesFrom", "bytesTo", "rtt", "lasted", "ended"] as const;
export type RecentColumn = (typeof RECENT_COLUMNS)[number];
export type RecentSort = { column: RecentColumn; down: boolean };

export function sortRecentBy(sort: RecentSort, column: RecentColumn): RecentSort {
  if (sort.column === column) {
    return { column, down: !sort.down };
  }
  return { column, down: ["bytesFrom", "bytesTo", "rtt", "lasted", "ended"].includes(column) };
}

/** The ended flows that a filter lets through, sorted. Of equal ones, the one that ended last comes first. */
export function selectRecent(rows: Row[], filter: Filter, sort: RecentSort): Row[] {
  const order = recentComparison(sort.column);
  const sign = sort.down ? -1 : 1;
  const latest = (a: Row, b: Row) => (b.closedAt ?? 0) - (a.closedAt ?? 0) || b.key - a.key;
  return rows.filter((row) => passes(filter, row)).sort((a, b) => sign * order(a, b) || latest(a, b));
}

function recentComparison(column: RecentColumn): (a: Row, b: Row) => number {
  switch (column) {
    case "state":
      return (a, b) => texts.compare(a.outcome ?? "", b.outcome ?? "");
    case "from":
    case "to":
    case "via":
    case "rtt":
      return comparison(column);
    case "bytesFrom":
      return (a, b) => a.flow.bytesFrom - b.flow.bytesFrom;
    case "bytesTo":
      return (a, b) => a.flow.bytesTo - b.flow.bytesTo;
    case "lasted":
      return (a, b) => a.flow.ageMs - b.flow.ageMs;
    case "ended":
      return (a, b) => (a.closedAt ?? 0) - (b.closedAt ?? 0);
  }
}

/**
 * The rows in their previous order, so that they do not move under the pointer. New rows come last, because otherwise
 * they would move the others.
 */
export function heldIn(rows: Row[], order: ReadonlyMap<number, number> | null): Row[] {
  if (order === null) {
    return rows;
  }
  const at = (row: Row) => order.get(row.key) ?? Number.MAX_SAFE_INTEGER;
  return rows.toSorted((a, b) => at(a) - at(b));
}
