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

/** The problems of each field of one part of the manifest. Those of the part itself are under "". */
export function problemsOf(owner: OwnerRef, problems: readonly Problem[]): Map<string, Problem[]> {
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    if (problem.place !== null && ownerKey(problem.place.owner) === ownerKey(owner)) {
      const field = problem.place.field ?? "";
      found.set(field, [...(found.get(field) ?? []), problem]);
    }
  }
  return found;
}

/** The part of the whole network that a problem belongs to; `null` if it belongs to a host, or to no part. */
export function partOf({ place }: Problem): "template" | "network" | "routes" | "policy" | null {
  switch (place?.owner.kind) {
    case "template":
      return "template";
    case "item":
      return place.owner.list === "routes" ? "routes" : "policy";
    case "groups":
      return "policy";
    case "manifest":
      return /^policy(\.|$)/.test(place.field ?? "") ? "policy" : "network";
    case "host":
    case undefined:
      return null;
  }
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
