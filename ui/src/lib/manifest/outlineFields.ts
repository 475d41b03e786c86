// The fields of a host, the template, a route, or a rule or test of the policy, as forms need them.
import type { FieldOutline } from "../types/FieldOutline";
import type { FieldSpec } from "../types/FieldSpec";
import type { HostOutline } from "../types/HostOutline";
import type { Outline } from "../types/Outline";
import type { OwnerRef } from "../types/OwnerRef";
import type { Problem } from "../types/Problem";

/** The groups of a form, in order. */
export const GROUPS = ["reach", "names", "ports", "proxies", "files", "other"] as const;
export type Group = (typeof GROUPS)[number];

const GROUP_OF: Record<string, Group> = {
  cmd: "reach",
  ssh: "reach",
  docker: "reach",
  podman: "reach",
  kubernetes: "reach",
  lxc: "reach",
  wsl: "reach",
  shell: "reach",
  vip: "names",
  aliases: "names",
  network: "names",
  ports: "ports",
  http: "proxies",
  socks: "proxies",
  dns: "proxies",
  loopback: "proxies",
  stateDir: "files",
  writeEtcHosts: "files",
};

/** The group of a field. A field that this page does not know is in the last group, so that it is not missing. */
export function groupOf(field: string): Group {
  return GROUP_OF[field.split(".")[0] ?? ""] ?? "other";
}

export function fieldNamed(fields: readonly FieldOutline[], name: string): FieldOutline | null {
  return fields.find(({ field }) => field === name) ?? null;
}

export function textOf(fields: readonly FieldOutline[], name: string): string {
  const value = fieldNamed(fields, name)?.value;
  return typeof value === "string" ? value : "";
}

/** The items of a list. If the field has a text in place of a list, the text is the only item. */
export function itemsOf(fields: readonly FieldOutline[], name: string): string[] {
  const value = fieldNamed(fields, name)?.value ?? null;
  return value === null ? [] : Array.isArray(value) ? value : [String(value)];
}

/** An example of the value, as people would type it. */
export function exampleOf(spec: FieldSpec): string {
  try {
    const example: unknown = JSON.parse(spec.example);
    const first: unknown = Array.isArray(example) ? example[0] : example;
    return typeof first === "object" || first === undefined || first === null ? "" : String(first);
  } catch {
    return spec.example;
  }
}

/** Whether a text has the form of a field. If this page cannot read the pattern of the field, every text has it. */
export function hasForm(spec: FieldSpec, text: string): boolean {
  if (spec.pattern === null) {
    return true;
  }
  try {
    return new RegExp(spec.pattern).test(text);
  } catch {
    return true;
  }
}

/** A text that names the owner of a field, for use as a key. */
export function ownerKey(owner: OwnerRef): string {
  return owner.kind === "host" ? `host ${owner.name}` : owner.kind === "item" ? `${owner.list} ${owner.at}` : owner.kind;
}

/**
 * The problems of each field of one owner, found by their lines: a problem belongs to the last field that begins above
 * the problem or in its line. Problems that belong to no field are under "". `end` is the line where the next part
 * begins.
 */
export function problemsOf(fields: readonly FieldOutline[], line: number, end: number, problems: readonly Problem[]): Map<string, Problem[]> {
  const inside = fields.filter((field) => field.line >= line && field.line < end).sort((a, b) => a.line - b.line);
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    if (problem.line < line || problem.line >= end) {
      continue;
    }
    const above = inside.filter((field) => field.line <= problem.line);
    const last = above.at(-1);
    // Several fields may be in one line. The message of a problem usually names its field.
    const same = above.filter((field) => field.line === last?.line);
    const named = same.find((field) => problem.message.includes(field.field.split(".").at(-1) ?? ""));
    const key = (named ?? same[0])?.field ?? "";
    found.set(key, [...(found.get(key) ?? []), problem]);
  }
  return found;
}

/**
 * The line where the next part (a host, a route, a group, rule or test of the policy, or a field of the template or the
 * network) begins after `line`; `Infinity` if there is none.
 */
export function endOf(outline: Outline, line: number): number {
  return startsOf(outline).find((start) => start > line) ?? Infinity;
}

/** The policy itself, its default, and its groups, rules and tests, each with the line where it begins. */
export function policyParts({ network, policy }: Outline): { line: number }[] {
  const standard = network.filter(({ field }) => field === "policy.default");
  return policy === null ? standard : [policy, ...standard, ...policy.groups, ...policy.rules, ...policy.tests];
}

/** The lines where the parts of the manifest begin, in order. */
export function startsOf(outline: Outline): number[] {
  const starts = [...outline.hosts, ...outline.routes, ...policyParts(outline)].map((one) => one.line);
  const others = [...outline.template, ...outline.network].filter((field) => field.origin.kind === "own").map((field) => field.line);
  return [...starts, ...others].sort((a, b) => a - b);
}

/** The number of problems in each part of the manifest that has any, by the line where the part begins. */
export function problemCounts(outline: Outline, problems: readonly Problem[]): Map<number, number> {
  const starts = startsOf(outline);
  const counts = new Map<number, number>();
  for (const { line } of problems) {
    const start = starts.findLast((one) => one <= line);
    if (start !== undefined) {
      counts.set(start, (counts.get(start) ?? 0) + 1);
    }
  }
  return counts;
}

export type Saving = "new" | "changed";

/** The hosts that differ from the saved file, and how. */
export function savingOf(saved: Outline | null, now: Outline): Map<string, Saving> {
  const found = new Map<string, Saving>();
  if (saved === null) {
    return found;
  }
  const before = new Map(saved.hosts.map((host) => [host.name, meaning(host)]));
  for (const host of now.hosts) {
    const old = before.get(host.name);
    if (old !== meaning(host)) {
      found.set(host.name, old === undefined ? "new" : "changed");
    }
  }
  return found;
}

/** The meaning of a host, regardless of the places where its values are written. */
function meaning(host: HostOutline): string {
  return JSON.stringify([host.vip, host.fields.map(({ field, value }) => [field, value])]);
}
