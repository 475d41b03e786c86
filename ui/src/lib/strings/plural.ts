// Singular and plural. For a language with more than two forms, this file would choose between them.
import { count } from "../format";

/** `1 host`, `7 hosts`. */
export function plural(n: number, one: string, many: string): string {
  return `${count(n)} ${n === 1 ? one : many}`;
}
