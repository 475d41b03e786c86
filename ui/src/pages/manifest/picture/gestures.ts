// Turns what the person does in the picture into edits of the text. Each gesture is one list of edits, and one step of
// the history.
import type { EditRequest } from "../../../lib/types/EditRequest";
import type { FieldValue } from "../../../lib/types/FieldValue";
import type { HostOutline } from "../../../lib/types/HostOutline";
import type { Origin } from "../../../lib/types/Origin";
import type { Outline } from "../../../lib/types/Outline";
import type { OwnerRef } from "../../../lib/types/OwnerRef";
import type { Kind } from "./kinds";
import { field, targetOf, texts } from "./model";

type Draft = { kind: Kind; name: string; vip: string; target: string; found: Record<string, FieldValue> | null };

const host = (name: string): OwnerRef => ({ kind: "host", name });
const route = (at: number): OwnerRef => ({ kind: "item", list: "routes", at });

/**
 * The fields of a pod that is typed like on the command line: NAME, KIND/NAME, NAMESPACE/KIND/NAME, or
 * CONTEXT/NAMESPACE/KIND/NAME. Without a kind, it is a deployment. A context may have slashes itself.
 */
export function podFields(text: string): Record<string, FieldValue> {
  const parts = text.trim().split("/");
  const [name = "", kind = "deployment", namespace, ...context] = parts.toReversed();
  const key = ["pod", "pods", "po"].includes(kind) ? "pod" : "deployment";
  return {
    ...(context.length === 0 ? {} : { "kubernetes.context": context.toReversed().join("/") }),
    ...(namespace === undefined ? {} : { "kubernetes.namespace": namespace }),
    [`kubernetes.${key}`]: name,
  };
}

export function addHost({ kind, name, vip, target, found }: Draft): EditRequest[] {
  const fields: Record<string, FieldValue> = {};
  if (vip.trim() !== "") {
    fields["vip"] = vip.trim();
  }
  if (found !== null) {
    Object.assign(fields, found);
  } else if (kind.id === "kubernetes") {
    Object.assign(fields, podFields(target));
  } else if (kind.field !== null) {
    fields[kind.field] = target.trim();
  }
  return [{ kind: "addHost", name: name.trim(), fields }];
}

export function rename(from: string, to: string): EditRequest[] {
  return from === to ? [] : [{ kind: "renameHost", from, to }];
}

export function setVip(name: string, vip: string): EditRequest[] {
  return vip === ""
    ? [{ kind: "clear", owner: host(name), field: "vip", reach: null }]
    : [{ kind: "set", owner: host(name), field: "vip", value: vip, reach: null }];
}

/** Replaces the target in the field that contains it. If the field is a list of words, the other words stay. */
export function setTarget(of: HostOutline, text: string): EditRequest[] {
  const target = targetOf(of);
  if (target === null || target.text === text) {
    return [];
  }
  const owner = host(of.name);
  return target.item === null
    ? [{ kind: "set", owner, field: target.field, value: text, reach: null }]
    : [{ kind: "replaceItem", owner, field: target.field, at: target.item, item: text, reach: null }];
}

/** Copies hosts. Each copy has the first free name after that of its original. */
export function duplicate(outline: Outline, names: readonly string[]): { edits: EditRequest[]; copies: string[] } {
  const taken = outline.hosts.map((one) => one.name);
  const copies: string[] = [];
  const edits = names.map((from): EditRequest => {
    const to = freeName(from, [...taken, ...copies]);
    copies.push(to);
    return { kind: "duplicateHost", from, to };
  });
  return { edits, copies };
}

export function removeHosts(names: readonly string[]): EditRequest[] {
  return names.map((name): EditRequest => ({ kind: "removeHost", name }));
}

export function publish(name: string, port: string): EditRequest[] {
  return [{ kind: "addItem", owner: host(name), field: "ports", at: null, item: port, reach: null }];
}

/**
 * The list in which a port of a host is written, and the number of the item there; `null` if the text has no such port.
 */
export function portPlace(outline: Outline, name: string, number: number): { text: string; owner: OwnerRef; at: number; origin: Origin["kind"]; others: number } | null {
  const ports = outline.hosts.find((one) => one.name === name)?.fields.find((one) => one.field === "ports");
  const origin = ports?.items?.[number] ?? ports?.origin;
  const text = texts(ports)[number];
  if (ports === undefined || origin === undefined || text === undefined) {
    return null;
  }
  // The number of ports that remain in this list if the port is removed. The ports of a host can be in two lists: its
  // own list and that of the template.
  const isTemplate = origin.kind === "template";
  const others = (ports.items ?? []).filter((other) => (other.kind === "template") === isTemplate).length - 1;
  return { text, owner: isTemplate ? { kind: "template" } : host(name), at: origin.index ?? number, origin: origin.kind, others };
}

export function removePort(outline: Outline, name: string, number: number): EditRequest[] {
  const place = portPlace(outline, name, number);
  if (place === null) {
    return [];
  }
  const { owner, at, others } = place;
  return [others > 0 ? { kind: "takeItem", owner, field: "ports", at, reach: null } : { kind: "clear", owner, field: "ports", reach: null }];
}

export function setPort(outline: Outline, name: string, number: number, port: string): EditRequest[] {
  const place = portPlace(outline, name, number);
  return place === null ? [] : [{ kind: "replaceItem", owner: place.owner, field: "ports", at: place.at, item: port, reach: null }];
}

export function addRoute(via: string, pattern: string): EditRequest[] {
  return [{ kind: "insert", list: "routes", at: null, fields: { via, to: [pattern] } }];
}

/** Replaces one gateway of a route by another host. The other gateways stay. */
export function setVia(outline: Outline, at: number, from: string, to: string): EditRequest[] {
  const via = texts(field(outline.routes[at] ?? { fields: [] }, "via"));
  if (via.includes(to)) {
    return [];
  }
  const index = Math.max(0, via.indexOf(from));
  const value: FieldValue = via.length <= 1 ? to : via.map((name, number) => (number === index ? to : name));
  return [{ kind: "set", owner: route(at), field: "via", value, reach: null }];
}

/** Adds a gateway to a route. It is used while the gateways before it are down. */
export function addVia(outline: Outline, at: number, name: string): EditRequest[] {
  const via = texts(field(outline.routes[at] ?? { fields: [] }, "via"));
  return via.includes(name) ? [] : [{ kind: "set", owner: route(at), field: "via", value: [...via, name], reach: null }];
}

export type List = "to" | "notTo";

export function addPattern(outline: Outline, at: number, list: List, pattern: string): EditRequest[] {
  const one = field(outline.routes[at] ?? { fields: [] }, list);
  // A single pattern may be written without a list around it.
  return typeof one?.value === "string"
    ? [{ kind: "set", owner: route(at), field: list, value: [one.value, pattern], reach: null }]
    : [{ kind: "addItem", owner: route(at), field: list, at: null, item: pattern, reach: null }];
}

export function setPattern(outline: Outline, at: number, list: List, number: number, pattern: string): EditRequest[] {
  const one = field(outline.routes[at] ?? { fields: [] }, list);
  return typeof one?.value === "string"
    ? [{ kind: "set", owner: route(at), field: list, value: pattern, reach: null }]
    : [{ kind: "replaceItem", owner: route(at), field: list, at: number, item: pattern, reach: null }];
}

/** Removes a pattern. A route whose last destination is removed would lead nowhere, so the whole route is removed. */
export function removePattern(outline: Outline, at: number, list: List, number: number): EditRequest[] {
  const one = field(outline.routes[at] ?? { fields: [] }, list);
  if (texts(one).length > 1) {
    return [{ kind: "takeItem", owner: route(at), field: list, at: number, reach: null }];
  }
  return list === "to" ? [{ kind: "remove", list: "routes", at }] : [{ kind: "clear", owner: route(at), field: "notTo", reach: null }];
}

export function moveRoute(outline: Outline, from: number, by: 1 | -1): EditRequest[] {
  const to = from + by;
  return to < 0 || to >= outline.routes.length ? [] : [{ kind: "move", list: "routes", from, to }];
}

/** The first free name that begins like another one. The name `web2` says more than `web-copy` would. */
export function freeName(like: string, taken: readonly string[]): string {
  const used = new Set(taken.map((name) => name.toLowerCase()));
  const [head = like, ...domain] = like.split(".");
  const [, begin = head, number = ""] = /^(.*?)(\d*)$/.exec(head) ?? [];
  const tail = domain.length > 0 ? `.${domain.join(".")}` : "";
  for (let next = number === "" ? 2 : Number(number) + 1; ; next += 1) {
    const name = `${begin}${String(next).padStart(number.length, "0")}${tail}`;
    if (!used.has(name.toLowerCase())) {
      return name;
    }
  }
}
