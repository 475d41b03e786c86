// The subject of a form: a host, the template, the network, a route, the groups of the policy, or one of its rules and
// tests, with its fields and problems.
import { ITEMS } from "../../../lib/manifest/items";
import { fieldNamed, itemsOf, ownerKey } from "../../../lib/manifest/outlineFields";
import { t } from "../../../lib/strings";
import type { EditReach } from "../../../lib/types/EditReach";
import type { EditRequest } from "../../../lib/types/EditRequest";
import type { FieldOutline } from "../../../lib/types/FieldOutline";
import type { FieldSpec } from "../../../lib/types/FieldSpec";
import type { FieldValue } from "../../../lib/types/FieldValue";
import type { OwnerRef } from "../../../lib/types/OwnerRef";
import type { Problem } from "../../../lib/types/Problem";

export type Subject = {
  owner: OwnerRef;
  fields: readonly FieldOutline[];
  problems: ReadonlyMap<string, Problem[]>;
  /** The fields of `hostTemplate`, if the subject is a host. */
  template: readonly FieldOutline[];
};

export function subjectName({ owner }: Subject): string {
  const words = t.form.owner;
  return owner.kind === "host" ? owner.name : owner.kind === "item" ? words[ITEMS[owner.list]](owner.at + 1) : words[owner.kind];
}

/** The name of a field for people. Groups have the names that the manifest gives them. */
export function labelOf(field: string, owner?: OwnerRef): string {
  if (owner?.kind === "groups") {
    return field;
  }
  return (owner?.kind === "item" && owner.list !== "routes" ? t.form.policy.key : t.form.fields)[field] ?? field;
}

/** The key of a field in `typed`. */
export function keyOf({ owner }: Subject, field: string): string {
  return `${ownerKey(owner)} ${field}`;
}

/** The edit that gives a field a value. Without a value, the field is removed. */
export function valueEdit({ owner }: Subject, field: string, value: FieldValue, reach: EditReach | null = null): EditRequest {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0) ? { kind: "clear", owner, field, reach } : { kind: "set", owner, field, value, reach };
}

/** The edit that adds an item behind the others. `first` is the value of a field that has none yet. */
export function addEdit({ owner, fields }: Subject, field: string, item: string, first: FieldValue = null): EditRequest {
  const value = fieldNamed(fields, field)?.value ?? null;
  if (value === null && first !== null) {
    return { kind: "set", owner, field, value: first, reach: null };
  }
  // A text becomes a list. A list stays as it is written, with its comments.
  return typeof value === "string" ? { kind: "set", owner, field, value: [value, item], reach: null } : { kind: "addItem", owner, field, at: null, item, reach: null };
}

/** The edit that removes an item. The field is removed with its last item. */
export function takeEdit(subject: Subject, field: string, number: number): EditRequest {
  const { owner, fields } = subject;
  return itemsOf(fields, field).length === 1 ? valueEdit(subject, field, null) : { kind: "takeItem", owner, field, at: placeOf(subject, field, number), reach: null };
}

/** The number of an item in the list in which it is written. */
export function placeOf({ fields }: Subject, field: string, number: number): number {
  return fieldNamed(fields, field)?.items?.[number]?.index ?? number;
}

export function stepOf(subject: Subject, field: string, value: FieldValue): string {
  const words = t.form.steps;
  const label = labelOf(field, subject.owner);
  return value === null || value === "" ? words.clear(label, subjectName(subject)) : words.set(label, subjectName(subject));
}

export function specsOf(specs: readonly FieldSpec[], of: FieldSpec["of"]): FieldSpec[] {
  return specs.filter((spec) => spec.of === of);
}

/** A value as text for people. */
export function shownValue(value: FieldValue): string {
  return value === null ? "" : typeof value === "boolean" ? (value ? t.form.yes : t.form.no) : Array.isArray(value) ? value.join(", ") : value;
}
