// Singular and plural. Languages with more than two forms would have them here.
import { count } from "../format";

/** `1 host`, `7 hosts`. */
export function plural(n: number, one: string, many: string): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
