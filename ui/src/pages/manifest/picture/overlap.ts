// Finds out whether two routes could both match a destination. The order of the routes matters only in that case.

/** The patterns of a route, as they are written. */
export type Patterns = { to: readonly string[]; notTo: readonly string[] };

type Block = { kind: "block"; version: 4 | 6; bits: bigint; length: number };
/** A name, or a pattern of names. `begin` is the text before its first star, and `end` the text after its last star. */
type Glob = { kind: "glob"; text: string; begin: string; end: string; star: boolean };
type Parsed = Block | Glob;

const known = new Map<string, Parsed>();

export function parsed(pattern: string): Parsed {
  const found = known.get(pattern) ?? block(pattern) ?? glob(pattern);
  known.set(pattern, found);
  return found;
}

/** Whether a destination exists that both patterns match. A name and an address are different destinations. */
export function meet(one: string, other: string): boolean {
  const [a, b] = [parsed(one), parsed(other)];
  if (a.kind === "block" || b.kind === "block") {
    return a.kind === "block" && b.kind === "block" && a.version === b.version && sameStart(a, b, Math.min(a.length, b.length));
  }
  if (!a.star || !b.star) {
    return a.star ? matches(a, b.text) : b.star ? matches(b, a.text) : a.text === b.text;
  }
  // The middle of each pattern fits into a star of the other pattern, so only their beginnings and ends can contradict.
  return (a.begin.startsWith(b.begin) || b.begin.startsWith(a.begin)) && (a.end.endsWith(b.end) || b.end.endsWith(a.end));
}

/** Whether `wide` matches everything that `narrow` matches. A yes is always right, but a no may be wrong. */
export function covers(wide: string, narrow: string): boolean {
  const [a, b] = [parsed(wide), parsed(narrow)];
  if (a.kind === "block" || b.kind === "block") {
    return a.kind === "block" && b.kind === "block" && a.version === b.version && a.length <= b.length && sameStart(a, b, a.length);
  }
  if (a.text === b.text) {
    return true;
  }
  // `*.example.com` covers `*.a.example.com`, because its star can stand for any text that ends with `.a`.
  return a.star && matches(a, b.text.replaceAll("*", "\u0000"));
}

/** For each route, the numbers of the other routes that could match one of its destinations as well. */
export function rivals(routes: readonly Patterns[]): number[][] {
  const found = routes.map((): number[] => []);
  routes.forEach((one, at) => {
    routes.slice(at + 1).forEach((other, offset) => {
      if (bothMatch(one, other)) {
        found[at]?.push(at + 1 + offset);
        found[at + 1 + offset]?.push(at);
      }
    });
  });
  return found;
}

function bothMatch(one: Patterns, other: Patterns): boolean {
  const isLeft = (pattern: string, by: Patterns) => by.notTo.some((exception) => covers(exception, pattern));
  return one.to.some((a) => other.to.some((b) => meet(a, b) && ![a, b].some((narrow) => isLeft(narrow, one) || isLeft(narrow, other))));
}

function sameStart(a: Block, b: Block, length: number): boolean {
  const rest = BigInt((a.version === 4 ? 32 : 128) - length);
  return a.bits >> rest === b.bits >> rest;
}

function matches(pattern: Glob, text: string): boolean {
  const inner = pattern.text.split("*").map((part) => part.replaceAll(/[.\\+?^${}()|[\]]/g, "\\$&"));
  return new RegExp(`^${inner.join("[^]*")}$`).test(text);
}

function glob(pattern: string): Glob {
  const text = pattern.toLowerCase();
  const first = text.indexOf("*");
  return { kind: "glob", text, begin: first < 0 ? text : text.slice(0, first), end: text.slice(text.lastIndexOf("*") + 1), star: first >= 0 };
}

function block(pattern: string): Block | null {
  const [, address = "", size = ""] = /^([\d.]+|[\da-f:.]*:[\da-f:.]*)\/(\d{1,3})$/i.exec(pattern) ?? [];
  const length = Number(size);
  if (address === "") {
    return null;
  }
  const version = address.includes(":") ? 6 : 4;
  const bits = version === 4 ? four(address) : six(address);
  return bits === null || length > (version === 4 ? 32 : 128) ? null : { kind: "block", version, bits, length };
}

function four(address: string): bigint | null {
  const parts = address.split(".");
  return parts.length !== 4 || parts.some((part) => !/^\d{1,3}$/.test(part) || Number(part) > 255) ? null : parts.reduce((sum, part) => (sum << 8n) + BigInt(part), 0n);
}

function six(address: string): bigint | null {
  const [head = "", tail, more] = address.split("::");
  const words = (text: string) => (text === "" ? [] : text.split(":"));
  const [front, back] = [words(head), words(tail ?? "")];
  const gap = 8 - front.length - back.length;
  if (more !== undefined || (tail === undefined ? gap !== 0 : gap < 1)) {
    return null;
  }
  const all = [...front, ...Array<string>(gap).fill("0"), ...back];
  return all.some((word) => !/^[\da-f]{1,4}$/i.test(word)) ? null : all.reduce((sum, word) => (sum << 16n) + BigInt(`0x${word}`), 0n);
}
