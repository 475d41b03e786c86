// Makes a simple outline of a manifest with a library for YAML. The real program reads manifests with its own reader,
// which knows far more.
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";

import type { FieldOutline } from "../lib/types/FieldOutline";
import type { FieldSpec } from "../lib/types/FieldSpec";
import type { FieldValue } from "../lib/types/FieldValue";
import type { HostOutline } from "../lib/types/HostOutline";
import type { ItemOutline } from "../lib/types/ItemOutline";
import type { Origin } from "../lib/types/Origin";
import type { Outline } from "../lib/types/Outline";
import { FIELDS } from "./manifestFields";

export const WAYS = ["cmd", "ssh", "docker", "podman", "kubernetes", "lxc", "wsl", "shell"] as const;

const LOOP = ["sh", "-c", 'while IFS= read -r c; do eval "$c"; done'];

export function parse(text: string): { doc: Document; lines: LineCounter } | null {
  const lines = new LineCounter();
  const doc = parseDocument(text, { merge: true, lineCounter: lines });
  return doc.errors.length > 0 || !isMap(doc.contents) || !isMap(doc.get("hosts")) ? null : { doc, lines };
}

/** The node of a value, and whether the value was found through an alias or a merge key. */
export type Found = { node: Node; shared: boolean };

/** Follows keys, with aliases and merge keys. */
export function find(doc: Document, from: unknown, path: string[]): Found | null {
  let node = from;
  let shared = false;
  for (const key of path) {
    if (isAlias(node)) {
      [node, shared] = [node.resolve(doc), true];
    }
    if (isSeq(node)) {
      node = node.items[Number(key)];
      continue;
    }
    if (!isMap(node)) {
      return null;
    }
    const own = node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key);
    if (own !== undefined) {
      node = own.value;
      continue;
    }
    const merged = mergedInto(doc, node).map((map) => find(doc, map, [key])).find((found) => found !== null);
    if (merged === undefined) {
      return null;
    }
    [node, shared] = [merged.node, true];
  }
  if (isAlias(node)) {
    [node, shared] = [node.resolve(doc), true];
  }
  return isScalar(node) || isSeq(node) || isMap(node) ? { node, shared } : null;
}

function mergedInto(doc: Document, map: YAMLMap): unknown[] {
  return map.items
    .filter((pair) => isScalar(pair.key) && (String(pair.key.value) === "<<" || typeof pair.key.value === "symbol"))
    .flatMap((pair) => (isSeq(pair.value) ? pair.value.items : [pair.value]))
    .map((node) => (isAlias(node) ? node.resolve(doc) : node));
}

export function valueOf(node: Node): FieldValue {
  if (isSeq(node)) {
    return node.items.map((item) => (isScalar(item) ? String(item.value) : ""));
  }
  const value = isScalar(node) ? node.value : null;
  return value === null || typeof value === "boolean" ? value : String(value);
}

export function outlineOf(text: string): Outline | null {
  const parsed = parse(text);
  if (parsed === null) {
    return null;
  }
  const { doc, lines } = parsed;
  const lineOf = (node: Node) => lines.linePos(node.range?.[0] ?? 0).line;
  const root = doc.contents;
  const template = find(doc, root, ["hostTemplate"])?.node;
  const map = find(doc, root, ["hosts"])?.node as YAMLMap<Node, Node>;
  const owners = map.items.map((pair) => ({ key: pair.key, name: nameOf(pair.key), node: pair.value })).filter(({ name }) => !name.startsWith("x-"));
  const listAtPath = (path: string[]) => {
    const list = find(doc, root, path)?.node;
    return isSeq(list) ? (list.items as Node[]) : [];
  };
  const itemsOf = { route: listAtPath(["routes"]), rule: listAtPath(["policy", "rules"]), test: listAtPath(["policy", "tests"]) };
  const policy = find(doc, root, ["policy"])?.node;
  const groups = find(doc, root, ["policy", "groups"])?.node;
  const groupPairs = isMap(groups) ? (groups as YAMLMap<Node, Node>).items : [];

  // The parts of the manifest that have a value from each node.
  const havers = new Map<Node, string[]>();
  const has = (name: string, found: Found | null) => found !== null && havers.set(found.node, [...(havers.get(found.node) ?? []), name]);
  const items = Object.entries(itemsOf).flatMap(([of, nodes]) => nodes.map((node, at) => ({ of, name: `${of} ${at + 1}`, node })));
  for (const { of, name, node } of [...owners.map((owner) => ({ of: "host", ...owner })), ...items]) {
    FIELDS.filter((spec) => spec.of === of).forEach((spec) => has(name, find(doc, node, spec.field.split("."))));
  }
  groupPairs.forEach((pair) => has(`the group ${nameOf(pair.key)}`, find(doc, pair.value, [])));

  const fieldsOf = (of: FieldSpec["of"], name: string, owner: unknown): FieldOutline[] =>
    FIELDS.filter((spec) => spec.of === of).flatMap((spec): FieldOutline[] => {
      const path = spec.field.split(".");
      const own = find(doc, owner, path);
      // A host inherits a map of the template if it has no such map itself. Ports are different: a host has its own
      // ports and those of the template.
      const inherits = of === "host" && (spec.field === "ports" || find(doc, owner, path.slice(0, 1)) === null);
      const given = inherits && template !== undefined ? find(doc, template, path) : null;
      const first = own ?? given;
      if (first === null || isMap(first.node)) {
        return [];
      }
      return [fieldOf(name, spec.field, own, given)];
    });

  const fieldOf = (name: string, field: string, own: Found | null, given: Found | null): FieldOutline => {
    const sharers = (found: Found) => (havers.get(found.node) ?? []).filter((other) => other !== name);
    const originOf = (found: Found, index: number | null): Origin =>
      found === given ? { kind: "template", index } : sharers(found).length > 0 ? { kind: "shared", with: sharers(found), index } : { kind: "own", index };
    const all = [given, own].filter((found) => found !== null);
    const first = (own ?? given) as Found;
    const value = valueOf(first.node);
    if (!Array.isArray(value)) {
      return { field, value, origin: originOf(first, null), items: null };
    }
    const items = all.flatMap((found) => {
      const texts = valueOf(found.node);
      return (Array.isArray(texts) ? texts : []).map((text, index) => ({ text, origin: originOf(found, index) }));
    });
    return { field, value: items.map((item) => item.text), origin: originOf(first, null), items: items.map((item) => item.origin) };
  };

  const written = owners.map(({ key, name, node }) => ({ name, line: lineOf(key), fields: fieldsOf("host", name, node) }));
  const taken = new Set(written.map(({ fields }) => textAt(fields, "vip")).filter((vip) => vip !== null));
  const free = Array.from({ length: 154 }, (_, index) => `127.0.42.${100 + index}`).filter((vip) => !taken.has(vip));
  const hosts = written.map(({ name, line, fields }): HostOutline => {
    const way = WAYS.find((way) => fields.some(({ field }) => field === way || field.startsWith(`${way}.`))) ?? "local";
    return { name, line, fields, way, vip: textAt(fields, "vip") ?? free.shift() ?? "", argv: argvOf(way, fields) };
  });
  const published = new Set(hosts.flatMap(({ fields }) => listAt(fields, "ports").map((port) => Number.parseInt(port, 10))));
  let nextPort = 8080;
  while (published.has(nextPort)) {
    nextPort += 1;
  }
  const outlined = (of: keyof typeof itemsOf) => itemsOf[of].map((node, at): ItemOutline => ({ fields: fieldsOf(of, `${of} ${at + 1}`, node) }));
  return {
    hosts,
    template: fieldsOf("template", "hostTemplate", template ?? null),
    network: fieldsOf("manifest", "", root),
    routes: outlined("route"),
    policy: isMap(policy)
      ? {
          groups: groupPairs.flatMap((pair) => {
            const found = find(doc, pair.value, []);
            return found === null ? [] : [fieldOf(`the group ${nameOf(pair.key)}`, nameOf(pair.key), found, null)];
          }),
          rules: outlined("rule"),
          tests: outlined("test"),
          line: lineOf(keyOf(root, "policy") ?? policy),
        }
      : null,
    nextVip: free[0] ?? null,
    nextPort,
  };
}

function keyOf(map: unknown, key: string): Node | null {
  return (isMap(map) ? (map as YAMLMap<Node, Node>).items.find((pair) => nameOf(pair.key) === key)?.key : null) ?? null;
}

function nameOf(key: Node): string {
  return isScalar(key) ? String(key.value) : "";
}

export function textAt(fields: FieldOutline[], name: string): string | null {
  const value = fields.find(({ field }) => field === name)?.value ?? null;
  return typeof value === "string" ? value : null;
}

function listAt(fields: FieldOutline[], name: string): string[] {
  const value = fields.find(({ field }) => field === name)?.value ?? [];
  return Array.isArray(value) ? value : [String(value)];
}

/** The words of a command that is written as one text. */
export function words(command: string): string[] {
  return Array.from(command.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g), ([, double, single, plain]) => double ?? single ?? plain ?? "");
}

function argvOf(way: HostOutline["way"], fields: FieldOutline[]): string[] {
  const part = (name: string) => textAt(fields, name);
  const flag = (name: string, text: string | null) => (text === null ? [] : [`--${name}=${text}`]);
  switch (way) {
    case "local":
      return [];
    case "cmd": {
      const value = fields.find(({ field }) => field === "cmd")?.value;
      return [...(Array.isArray(value) ? value : words(String(value ?? ""))), "agent", "--automated"];
    }
    case "ssh":
      return ["ssh", "-T", "-o", "ControlMaster=no", "-o", "ClearAllForwardings=yes", ...listAt(fields, "ssh"), "--", ...LOOP];
    case "docker":
    case "podman":
      return [way, "exec", "-i", part(way) ?? "CONTAINER", ...LOOP];
    case "kubernetes": {
      const pod = part("kubernetes.pod");
      return [
        "kubectl",
        ...flag("context", part("kubernetes.context")),
        ...flag("namespace", part("kubernetes.namespace")),
        "exec",
        "-i",
        pod === null ? "POD" : `pod/${pod}`,
        ...flag("container", part("kubernetes.container")),
        "--",
        ...LOOP,
      ];
    }
    case "lxc":
      return ["lxc", "exec", part("lxc") ?? "", "--", ...LOOP];
    case "wsl":
      return ["wsl.exe", "--distribution", part("wsl") ?? "", "--exec", ...LOOP];
    case "shell":
      return [...listAt(fields, "shell"), ...LOOP];
  }
}

