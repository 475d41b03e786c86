// The subject of a form: a host, a route, the template or the network, with its fields and problems.
import { ownerKey } from "../../../lib/manifest/outlineFields";
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
  return owner.kind === "host" ? owner.name : owner.kind === "route" ? t.form.owner.route(owner.at + 1) : t.form.owner[owner.kind];
}

export function labelOf(field: string): string {
  return t.form.fields[field] ?? field;
}

/** The key of a field in `typed`. */
export function keyOf({ owner }: Subject, field: string): string {
  return `${ownerKey(owner)} ${field}`;
}

/** The edit that gives a field a value. Without a value, the field is removed. */
export function valueEdit({ owner }: Subject, field: string, value: FieldValue, reach: EditReach | null = null): EditRequest {
  return value === null || value === "" || (Array.isArray(value) && value.length === 0) ? { kind: "clear", owner, field, reach } : { kind: "set", owner, field, value, reach };
}

export function stepOf(subject: Subject, field: string, value: FieldValue): string {
  const words = t.form.steps;
  return value === null || value === "" ? words.clear(labelOf(field), subjectName(subject)) : words.set(labelOf(field), subjectName(subject));
}

export function specsOf(specs: readonly FieldSpec[], of: FieldSpec["of"]): FieldSpec[] {
  return specs.filter((spec) => spec.of === of);
}

/** A value as text for people. */
export function shownValue(value: FieldValue): string {
  return value === null ? "" : typeof value === "boolean" ? (value ? t.form.yes : t.form.no) : Array.isArray(value) ? value.join(", ") : value;
}
