// Compares parts of two outlines. Each answer of the engine is a new outline, so all hosts are compared after every
// edit. The numbers of lines do not count, because an edit changes them for everything below it.
import type { FieldOutline } from "../../../lib/types/FieldOutline";
import type { HostOutline } from "../../../lib/types/HostOutline";
import type { Origin } from "../../../lib/types/Origin";

export function sameList<T>(one: readonly T[], other: readonly T[], same: (a: T, b: T) => boolean = Object.is): boolean {
  return one === other || (one.length === other.length && one.every((each, at) => same(each, other[at] as T)));
}

/** Whether two hosts look the same in the picture: they have the same values, from the same places. */
export function sameHost(one: HostOutline, other: HostOutline): boolean {
  return one.vip === other.vip && one.way === other.way && sameList(one.argv, other.argv) && sameList(one.fields, other.fields, sameField);
}

/** Whether two hosts have the same meaning, regardless of the places where their values are written. */
export function sameMeaning(one: HostOutline, other: HostOutline): boolean {
  return one.vip === other.vip && sameList(one.fields, other.fields, (a, b) => a.field === b.field && sameValue(a, b));
}

function sameField(one: FieldOutline, other: FieldOutline): boolean {
  const sameItems = one.items === other.items || (one.items !== null && other.items !== null && sameList(one.items, other.items, sameOrigin));
  return one.field === other.field && sameItems && sameValue(one, other) && sameOrigin(one.origin, other.origin);
}

function sameValue({ value: one }: FieldOutline, { value: other }: FieldOutline): boolean {
  return one === other || (Array.isArray(one) && Array.isArray(other) && sameList(one, other));
}

function sameOrigin(one: Origin, other: Origin): boolean {
  return one.kind === other.kind && one.index === other.index && (one.kind !== "shared" || other.kind !== "shared" || sameList(one.with, other.with));
}
