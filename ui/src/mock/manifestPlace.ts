// Finds the part and field of a manifest that a place in its text belongs to, as the real program does.
import { isMap, isNode, isScalar, isSeq, type Pair } from "yaml";

import type { ListRef } from "../lib/types/ListRef";
import type { FieldPlace } from "../lib/types/FieldPlace";
import { FIELDS } from "./manifestFields";
import { parse } from "./manifestOutline";

/** The place of each offset; `null` if the text cannot be read. The mock has no problems of whole parts. */
export function placesOf(text: string, offsets: readonly number[]): (FieldPlace | null)[] {
  const root = parse(text)?.doc.contents ?? null;
  return offsets.map((at) => (root === null ? null : placeAt(root, at)));
}

function placeAt(root: unknown, at: number): FieldPlace {
  const top = lastEntry(root, at);
  const other: FieldPlace = { owner: { kind: "manifest" }, field: fieldAt("manifest", root, at) };
  switch (keyOf(top)) {
    case "hosts": {
      const host = lastEntry(top?.value, at);
      return host === null || /^(x-|<<$)/.test(keyOf(host)) ? other : { owner: { kind: "host", name: keyOf(host) }, field: fieldAt("host", host.value, at) };
    }
    case "hostTemplate":
      return { owner: { kind: "template" }, field: fieldAt("template", top?.value, at) };
    case "routes":
      return itemAt("routes", top?.value, at) ?? other;
    case "policy": {
      const part = lastEntry(top?.value, at);
      const key = keyOf(part);
      const group = key === "groups" ? lastEntry(part?.value, at) : null;
      const found = key === "rules" || key === "tests" ? itemAt(key, part?.value, at) : null;
      return group !== null ? { owner: { kind: "groups" }, field: keyOf(group) } : (found ?? { ...other, field: other.field ?? "policy" });
    }
    default:
      return other;
  }
}

function itemAt(list: ListRef, node: unknown, at: number): FieldPlace | null {
  const items = isSeq(node) ? node.items : [];
  const found = items.findLastIndex((item) => isNode(item) && (item.range?.[0] ?? 0) <= at);
  const of = list === "routes" ? "route" : list === "rules" ? "rule" : "test";
  return found < 0 ? null : { owner: { kind: "item", list, at: found }, field: fieldAt(of, items[found], at) };
}

function fieldAt(of: string, map: unknown, at: number): string | null {
  const entry = lastEntry(map, at);
  const inner = lastEntry(entry?.value, at);
  const names = FIELDS.filter((spec) => spec.of === of).map(({ field }) => field);
  return [`${keyOf(entry)}.${keyOf(inner)}`, keyOf(entry)].find((name) => names.includes(name)) ?? null;
}

/** The last entry of a map that begins at or before the offset. */
function lastEntry(map: unknown, at: number): Pair | null {
  return (isMap(map) ? map.items : []).findLast(({ key }) => isNode(key) && (key.range?.[0] ?? 0) <= at) ?? null;
}

function keyOf(entry: Pair | null): string {
  return entry !== null && isScalar(entry.key) ? String(entry.key.value) : "";
}
