// One flow, as the table, its filter and its details show it. This file imports neither the table nor the filter,
// because both of them import it.
import type { EndedFlowView } from "./types/EndedFlowView";
import type { FlowOutcome } from "./types/FlowOutcome";
import type { FlowState } from "./types/FlowState";
import type { FlowView } from "./types/FlowView";

/** A flow, as it was last seen. */
export type Row = {
  /**
   * The key of the row. It stays the same as long as the flow is shown. A later flow between the same ports has a
   * different key.
   */
  key: number;
  flow: FlowView;
  /** The time at which the flow was missing in an answer for the first time; null while the flow exists. */
  closedAt: number | null;
  /** How the flow has ended, if the manager has said that. */
  outcome?: FlowOutcome;
};

/** The row of a flow that has ended, as the manager reports it. Its age is the time from its beginning to its end. */
export function endedRow(key: number, ended: EndedFlowView): Row {
  const { id, from, to = "", src, dst, name, via, bytesFrom, bytesTo, lastedMs, rttUs, outcome, endedMs } = ended;
  const flow: FlowView = { id, from, to, src, dst, name, via, bytesFrom, bytesTo, rttUs, ageMs: lastedMs, state: "open", rateFrom: 0, rateTo: 0, packets: 0, idleMs: 0 };
  return { key, flow, closedAt: endedMs, outcome };
}

/** A flow that does not follow a route has one of these two texts as its rule. */
export const PUBLISHED = "published port";
export const BUILT_IN = "built in";

/**
 * The state that is shown. The manager reports only flows that exist, so only the table knows that a flow is closed.
 */
export type RowState = FlowState | "closed";

export function stateOf(row: Row): RowState {
  return row.closedAt === null ? row.flow.state : "closed";
}

/** The rule that decided where the flow goes; empty if the manager does not report it. */
export function ruleOf(flow: FlowView): string {
  if (flow.rule !== undefined || flow.via !== undefined) {
    return flow.rule ?? "";
  }
  return isBuiltIn(flow) ? BUILT_IN : PUBLISHED;
}

/**
 * Whether a flow leads to the DNS server or the relay of a host. Such a flow belongs neither to a route nor to a
 * published port.
 */
export function isBuiltIn(flow: FlowView): boolean {
  return /:(dns|relay)$/.test(flow.name);
}

/** The port of `address:port`. */
export function portOf(end: string): number {
  return Number(end.slice(end.lastIndexOf(":") + 1));
}

export function bytesOf(flow: FlowView): number {
  return flow.bytesFrom + flow.bytesTo;
}

/** The addresses of both ends in one line, in a form that other programs accept. */
export function asAddresses(flow: FlowView): string {
  return `${flow.src} ${flow.dst}`;
}

/**
 * A curl command for the destination of a flow, for the machine on which the flow began; null for a flow to a service
 * of an agent. The scheme is guessed from the port. A destination outside the network is requested through that
 * machine's HTTP proxy.
 */
export function asCurl(flow: FlowView, proxy?: string): string | null {
  if (isBuiltIn(flow)) {
    return null;
  }
  const port = portOf(flow.dst);
  const scheme = [443, 6443, 8443].includes(port) ? "https" : "http";
  const usual = scheme === "https" ? 443 : 80;
  const address = flow.dst.slice(0, flow.dst.lastIndexOf(":"));
  const url = `${scheme}://${address}${port === usual ? "" : `:${port}`}/`;
  const through = flow.via !== undefined && proxy !== undefined ? `--proxy http://${proxy} ` : "";
  return `curl -v ${through}${url}`;
}
