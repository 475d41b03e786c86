// Edits a manifest with a library for YAML, which prints the whole file again. That is good enough for looking at
// pages. The engine of the real program changes only what has to change.
import { type Document, isAlias, isMap, isPair, isScalar, isSeq, Pair, Scalar, YAMLMap, YAMLSeq } from "yaml";

import type { Edited } from "../lib/types/Edited";
import { ITEMS, itemsIn } from "../lib/manifest/items";
import type { EditRequest } from "../lib/types/EditRequest";
import type { FieldOutline } from "../lib/types/FieldOutline";
import type { FieldValue } from "../lib/types/FieldValue";
import type { ListRef } from "../lib/types/ListRef";
import type { OwnerRef } from "../lib/types/OwnerRef";
import type { RefusalCode } from "../lib/types/RefusalCode";
import { FIELDS } from "./manifestFields";
import { find, outlineOf, parse, valueOf } from "./manifestOutline";

class Refused extends Error {
  constructor(
    readonly code: RefusalCode,
    message: string,
    readonly hint: string,
    readonly others: string[] = [],
  ) {
    super(message);
  }
}

export function editText(text: string, edits: EditRequest[]): Edited {
  const also: string[] = [];
  let now = text;
  for (const [at, edit] of edits.entries()) {
    try {
      now = applied(now, edit, also);
    } catch (error) {
      if (error instanceof Refused) {
        return { kind: "refused", at, code: error.code, message: error.message, hint: error.hint, with: error.others };
      }
      throw error;
    }
  }
  const outline = outlineOf(now);
  if (outline === null) {
    throw "The mock has written a manifest that it cannot read.";
  }
  return { kind: "done", text: now, changed: [], also, outline };
}

function applied(text: string, edit: EditRequest, also: string[]): string {
  const parsed = parse(text);
  if (parsed === null) {
    throw new Refused("unreadable", "the file has errors, so it cannot be edited", "correct the errors first");
  }
  const { doc } = parsed;
  run(doc, edit, also);
  const printed = doc.toString({ lineWidth: 0, flowCollectionPadding: false, indentSeq: true });
  return printed;
}

function run(doc: Document, edit: EditRequest, also: string[]): void {
  const hosts = doc.get("hosts") as YAMLMap;
  const routes = doc.get("routes");
  const list = isSeq(routes) ? routes : null;
  switch (edit.kind) {
    case "addHost": {
      checkName(hosts, edit.name);
      hosts.flow = false;
      hosts.set(edit.name, new YAMLMap());
      for (const [field, value] of Object.entries(edit.fields)) {
        put(doc, ["hosts", edit.name, ...field.split(".")], value);
      }
      return;
    }
    case "removeHost": {
      hosts.delete(pairOf(hosts, edit.name).key);
      for (let at = (list?.items.length ?? 0) - 1; at >= 0; at -= 1) {
        const via = doc.getIn(["routes", at, "via"]);
        if (via === edit.name) {
          doc.deleteIn(["routes", at]);
          also.push(`route ${at + 1} is removed as well, because it would be incomplete without "${edit.name}"`);
        }
      }
      if (list?.items.length === 0) {
        doc.delete("routes");
      }
      return;
    }
    case "renameHost": {
      checkName(hosts, edit.to, edit.from);
      pairOf(hosts, edit.from).key = new Scalar(edit.to);
      list?.items.forEach((_, at) => {
        if (doc.getIn(["routes", at, "via"]) === edit.from) {
          doc.setIn(["routes", at, "via"], edit.to);
          also.push(`route ${at + 1} now has the name "${edit.to}"`);
        }
      });
      return;
    }
    case "duplicateHost": {
      checkName(hosts, edit.to);
      const { value } = pairOf(hosts, edit.from);
      const copy = isMap(value) ? (value.clone() as YAMLMap) : new YAMLMap();
      copy.delete("vip");
      copy.delete("aliases");
      hosts.set(edit.to, copy);
      return;
    }
    case "insert": {
      const items = listOf(doc, edit.list);
      const item = new YAMLMap();
      item.flow = edit.list !== "routes";
      const keys = FIELDS.filter((spec) => spec.of === ITEMS[edit.list]).map((spec) => spec.field);
      for (const key of keys.filter((key) => key in edit.fields)) {
        item.set(key, nodeOf(edit.fields[key] ?? null));
      }
      if (items === null) {
        const made = new YAMLSeq();
        made.add(item);
        put(doc, PATHS[edit.list], made);
      } else {
        items.items.splice(edit.at ?? items.items.length, 0, item);
      }
      return;
    }
    case "remove":
      if (listOf(doc, edit.list)?.items.splice(edit.at, 1).length !== 1) {
        throw new Refused("missing", `${ITEMS[edit.list]} ${edit.at + 1} does not exist`, "take one of the list");
      }
      return;
    case "move": {
      const items = listOf(doc, edit.list)?.items;
      items?.splice(edit.to, 0, ...items.splice(edit.from, 1));
      return;
    }
    default:
      field(doc, edit);
  }
}

/** The keys that lead to each list. */
const PATHS: Record<ListRef, string[]> = { routes: ["routes"], rules: ["policy", "rules"], tests: ["policy", "tests"] };

function listOf(doc: Document, list: ListRef): YAMLSeq | null {
  const found = find(doc, doc.contents, PATHS[list])?.node;
  return isSeq(found) ? found : null;
}

type FieldEdit = Extract<EditRequest, { field: string }>;

function field(doc: Document, edit: FieldEdit): void {
  // The name of a group may have a dot.
  const keys = edit.owner.kind === "groups" ? [edit.field] : edit.field.split(".");
  const top = pathOf(edit.owner);
  const of = edit.owner.kind === "item" ? ITEMS[edit.owner.list] : edit.owner.kind;
  if (of !== "groups" && !FIELDS.some((spec) => spec.of === of && (spec.field === edit.field || spec.field.startsWith(`${edit.field}.`)))) {
    throw new Refused("field", `there is no field "${edit.field}"`, "docs/MANIFEST.md has all fields and their values");
  }
  if (edit.owner.kind === "host" && find(doc, doc.contents, top) === null && !hasKey(doc, edit.owner.name)) {
    throw new Refused("missing", `the host "${edit.owner.name}" does not exist`, "take one of the hosts of the file");
  }
  const first = keys.slice(0, 1);
  const inherited = edit.owner.kind === "host" && edit.field !== "ports" && find(doc, doc.contents, [...top, ...first]) === null ? find(doc, doc.contents, ["hostTemplate", ...first]) : null;
  if (inherited !== null) {
    if (edit.reach === null) {
      const who = "all hosts that have it from hostTemplate";
      throw new Refused("fromTemplate", `${edit.field} is shared with ${who}`, "say whether the value changes for all of them or only here", [who]);
    }
    if (edit.reach === "everywhere") {
      field(doc, { ...edit, owner: { kind: "template" } });
      return;
    }
    if (edit.kind === "clear") {
      throw new Refused("inherited", `${edit.field} comes from hostTemplate`, "set another value here, or change hostTemplate for all hosts");
    }
    put(doc, [...top, ...first], doc.createNode(inherited.node.toJS(doc)));
  }
  const found = find(doc, doc.contents, [...top, ...keys]);
  const origin = fieldsOf(doc, edit.owner).find((one) => one.field === edit.field)?.origin;
  if (found !== null && origin?.kind === "shared") {
    const others = origin.with;
    if (edit.reach === null) {
      throw new Refused("shared", `${edit.field} is shared with ${others.join(", ")}`, "say whether the value changes for all of them or only here", others);
    }
    if (edit.reach === "everywhere") {
      change(edit, valueOf(found.node), (value) => {
        if (isScalar(found.node) && !Array.isArray(value)) {
          found.node.value = value;
        } else if (isSeq(found.node) && Array.isArray(value)) {
          found.node.items = texts(value).items;
        }
      });
      return;
    }
  }
  const old = found === null ? null : valueOf(found.node);
  change(edit, old, (value) => {
    if (value === null) {
      take(doc, top, keys);
    } else {
      const node = found?.shared === false ? found.node : null;
      if (isSeq(node) && Array.isArray(value)) {
        // The list and the items that have not changed keep their style.
        node.items = value.map((text) => node.items.find((item) => isScalar(item) && String(item.value) === text) ?? quoted(text));
      } else if (isScalar(node) && typeof value === "string") {
        node.value = value;
      } else {
        put(doc, [...top, ...keys], value);
      }
    }
  });
}

function fieldsOf(doc: Document, owner: OwnerRef): readonly FieldOutline[] {
  const outline = outlineOf(String(doc));
  switch (outline === null ? "manifest" : owner.kind) {
    case "host":
      return outline?.hosts.find(({ name }) => owner.kind === "host" && name === owner.name)?.fields ?? [];
    case "item":
      return (owner.kind === "item" && outline !== null && itemsIn(outline, owner.list)[owner.at]?.fields) || [];
    case "groups":
      return outline?.policy?.groups ?? [];
    default:
      return [];
  }
}

/** Applies an edit to a value, and calls `set` with the result. */
function change(edit: FieldEdit, old: FieldValue, set: (value: FieldValue) => void): void {
  const items = Array.isArray(old) ? [...old] : old === null ? [] : [String(old)];
  switch (edit.kind) {
    case "set":
      return set(edit.value);
    case "clear":
      return set(null);
    case "addItem":
      items.splice(edit.at ?? items.length, 0, edit.item);
      return set(items);
    case "replaceItem":
    case "takeItem":
      if (edit.at >= items.length) {
        throw new Refused("missing", `item ${edit.at + 1} of the list does not exist`, "take one of the items of the list");
      }
      items.splice(edit.at, 1, ...(edit.kind === "replaceItem" ? [edit.item] : []));
      return set(items.length === 0 ? null : items);
  }
}

function pathOf(owner: OwnerRef): string[] {
  switch (owner.kind) {
    case "manifest":
      return [];
    case "template":
      return ["hostTemplate"];
    case "host":
      return ["hosts", owner.name];
    case "item":
      return [...PATHS[owner.list], String(owner.at)];
    case "groups":
      return ["policy", "groups"];
  }
}

/** Removes a key. Also removes the map around the key if it is then empty, unless that map is the host itself. */
function take(doc: Document, top: string[], keys: string[]): void {
  doc.deleteIn([...top, ...keys].map(step));
  const around = [...top, ...keys.slice(0, -1)];
  const map = keys.length > 1 ? doc.getIn(around.map(step)) : null;
  if (isMap(map) && map.items.length === 0) {
    doc.deleteIn(around.map(step));
  }
}

function put(doc: Document, path: string[], value: FieldValue | object): void {
  for (let depth = 1; depth < path.length; depth += 1) {
    const around = path.slice(0, depth).map(step);
    const map = doc.getIn(around, true);
    if (isAlias(map)) {
      doc.setIn(around, doc.createNode(map.toJS(doc)));
    } else if (!isMap(map) && !isSeq(map)) {
      doc.setIn(around, new YAMLMap());
    }
  }
  doc.setIn(path.map(step), nodeOf(value));
}

function nodeOf(value: FieldValue | object): unknown {
  return Array.isArray(value) ? texts(value) : typeof value === "string" ? quoted(value) : value;
}

function step(key: string): string | number {
  return /^\d+$/.test(key) ? Number(key) : key;
}

/** Makes a scalar. It has quotes if it is an address or a port, or if it would mean something else without quotes. */
function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  if (/^[\d.:[]/.test(text) || /[*:]/.test(text)) {
    scalar.type = "QUOTE_DOUBLE";
  }
  return scalar;
}

function texts(items: string[]): YAMLSeq {
  const list = new YAMLSeq();
  list.flow = true;
  list.items = items.map(quoted);
  return list;
}

function pairOf(hosts: YAMLMap, name: string): Pair {
  const pair = hosts.items.find((pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === name);
  if (pair === undefined) {
    throw new Refused("missing", `the host "${name}" does not exist`, "take one of the hosts of the file");
  }
  return pair;
}

function hasKey(doc: Document, name: string): boolean {
  const hosts = doc.get("hosts");
  return isMap(hosts) && hosts.items.some((pair) => isScalar(pair.key) && String(pair.key.value) === name);
}

function checkName(hosts: YAMLMap, name: string, except?: string): void {
  const isTaken = hosts.items.some((pair) => isScalar(pair.key) && String(pair.key.value).toLowerCase() === name.toLowerCase());
  if (isTaken && name.toLowerCase() !== except?.toLowerCase()) {
    throw new Refused("taken", `the name "${name}" is taken`, "take another name");
  }
  if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(name) || name.startsWith("x-")) {
    throw new Refused("invalid", `the file would be invalid: "${name}" cannot be the name of a host`, "a name has letters, digits, -, _ and dots");
  }
}
