// One flow as the table, its filter and its details show it. This file imports neither the table nor the filter, since both
// of them need it.
import type { FlowState } from "./types/FlowState";
import type { FlowView } from "./types/FlowView";

/** A flow as it was seen last. */
export type Row = {
  /** The key stays with the flow for as long as it is shown; a later flow between the same ports has another one. */
  key: number;
  flow: FlowView;
  /** The moment at which the flow was missing for the first time; null while it lives. */
  closedAt: number | null;
};

/** These two words stand for the rule of a flow that follows no route. */
export const PUBLISHED = "published port";
export const BUILT_IN = "built in";

/** The state that is shown. The manager tells only of flows that live, so that only the table knows of closed ones. */
export type RowState = FlowState | "closed";

export function stateOf(row: Row): RowState {
  return row.closedAt === null ? row.flow.state : "closed";
}

/** The rule tells why a flow goes where it goes; it is empty where the manager does not tell. */
export function ruleOf(flow: FlowView): string {
  if (flow.rule !== undefined || flow.via !== undefined) {
    return flow.rule ?? "";
  }
  return isBuiltIn(flow) ? BUILT_IN : PUBLISHED;
}

/** Hosts serve each other DNS and relays; a flow to one of these follows neither a route nor a published port. */
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

/** Both ends stand in one line, as other programs take them. */
export function asAddresses(flow: FlowView): string {
  return `${flow.src} ${flow.dst}`;
}

/**
 * The command asks the same end, for the machine on which the flow began; it is null for a flow that is built in. The
 * scheme is a guess from the port. A destination outside the network is asked for through that machine's HTTP proxy.
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
