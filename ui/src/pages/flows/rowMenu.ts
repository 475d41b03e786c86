// The actions for a row of the table. They are in the row's menu and in its details.
import type { MenuItem } from "../../lib/menu.svelte";
import { asAddresses, asCurl, type Row, ruleOf } from "../../lib/flow";
import { term } from "../../lib/flowFilter";
import { intents } from "../../lib/intents";
import { overlay } from "../../lib/overlay.svelte";
import { plan } from "../../lib/plan.svelte";
import { t } from "../../lib/strings";
import type { FlowView } from "../../lib/types/FlowView";
import { flowsModel } from "./flows.svelte";

/** A curl command for the destination of a flow; null if there is none. */
export function curlOf(row: Row): string | null {
  return asCurl(row.flow, plan.host(row.flow.from)?.http);
}

/** The rule of a flow in words; empty if the rule is not known. */
export function toldRule(flow: FlowView): string {
  const rule = ruleOf(flow);
  const names: Partial<Record<string, string>> = t.flows.rules;
  return names[rule] ?? rule;
}

/** Splits an address with a port into two parts. The second part begins with the colon. */
export function addressOf(end: string): [string, string] {
  const at = end.lastIndexOf(":");
  return [end.slice(0, at), end.slice(at)];
}

export function explain(row: Row): void {
  overlay.open("why", row.flow.via === undefined ? row.flow.name : row.flow.dst);
}

export function rowMenu(row: Row): MenuItem[][] {
  const { flow } = row;
  const words = t.flows.menu;
  const curl = curlOf(row);
  // If a flow was refused early, there is no host at its other end.
  const hosts = Array.from(new Set([flow.from, flow.to])).filter((host) => host !== "");
  // The rule of a flow that has ended is not known.
  const rule = row.outcome === undefined ? ruleOf(flow) : "";
  const onlys = [
    ...hosts.map((host) => ({ what: host, filter: term("host", host) })),
    ...(rule === "" ? [] : [{ what: toldRule(flow), filter: term("rule", rule) }]),
  ];
  const outs = [...hosts.map((host) => ({ what: host, filter: term("host", host, true) })), { what: flow.name, filter: term(null, flow.name, true) }];
  return [
    [
      { label: words.details, hint: "Enter", choose: () => (flowsModel.details = true) },
      { label: words.why, choose: () => explain(row) },
      { label: words.curl, disabled: curl === null, choose: () => curl !== null && void intents.copy(curl, t.flows.copied.curl) },
      { label: words.addresses, choose: () => void intents.copy(asAddresses(flow), t.flows.copied.addresses) },
    ],
    onlys.map(({ what, filter }) => ({ label: words.only(what), choose: () => flowsModel.toggle(filter) })),
    outs.map(({ what, filter }) => ({ label: words.exclude(what), choose: () => flowsModel.toggle(filter) })),
    [{ label: words.close, hint: "Del", danger: true, disabled: row.closedAt !== null, choose: () => void flowsModel.close(row) }],
  ];
}
