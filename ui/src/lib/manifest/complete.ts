// Completions and explanations for a position of the manifest. They come from the schema and from the text.
import { ITEM, placeAt } from "./place";
import { keysOf, opens, type Schema, schemaAt, valuesOf } from "./schema";

export type Offer = {
  label: string;
  /** The text that is inserted. It includes the characters that must follow. */
  insert: string;
  kind: "key" | "value" | "host" | "example";
  about: string | null;
};

export type Offers = { from: number; offers: Offer[] };

/** The completions at a position; `null` if nothing is known there. */
export function complete(schema: Schema, text: string, at: number): Offers | null {
  const place = placeAt(text, at);
  if (place.what === "none") {
    return null;
  }
  const here = schemaAt(schema, place.path);
  if (here === null) {
    return null;
  }
  const inFlow = isInFlow(text, at);
  if (place.what === "key") {
    const keys = keysOf(here).filter(([key]) => !place.siblings.includes(key));
    const offers: Offer[] = keys.map(([key, below]) => ({
      label: key,
      insert: key + tail(below, text, place.from, inFlow),
      kind: "key",
      about: below.description ?? null,
    }));
    if (offers.length > 0) {
      return { from: place.from, offers };
    }
  }
  const offers = isGateway(place.path) ? hostOffers(text) : valueOffers(here, text.slice(place.from, place.from + 1));
  return offers.length > 0 ? { from: place.from, offers } : null;
}

/** The description of the key at a position, from the schema. */
export function explain(schema: Schema, text: string, at: number): { key: string; about: string; from: number; to: number } | null {
  const start = text.lastIndexOf("\n", at - 1) + 1;
  const stop = text.indexOf("\n", at);
  const line = text.slice(start, stop < 0 ? undefined : stop);
  for (const found of line.matchAll(/([\w-]+)\s*:(?=\s|$)/g)) {
    const from = start + found.index;
    const key = found[1] ?? "";
    const to = from + key.length;
    if (at < from || at > to) {
      continue;
    }
    const place = placeAt(text, to);
    const about = place.what === "key" ? schemaAt(schema, [...place.path, key])?.description : undefined;
    return about === undefined ? null : { key, about, from, to };
  }
  return null;
}

/** The names and aliases of the hosts in a text, in the order of the text. */
export function hostNames(text: string): string[] {
  const names: string[] = [];
  let inside = false;
  let depth = 0;
  for (const line of text.split("\n")) {
    if (/^\S/.test(line) && !line.startsWith("#")) {
      inside = /^hosts\s*:/.test(line);
      depth = 0;
    }
    const key = /^(\s+)("[^"]+"|'[^']+'|[\w.-]+)\s*:(?=\s|$)/.exec(line);
    if (!inside || key === null) {
      continue;
    }
    const indent = (key[1] ?? "").length;
    depth = depth === 0 ? indent : depth;
    if (indent === depth) {
      names.push((key[2] ?? "").replace(/^(["'])(.*)\1$/, "$2"));
    }
  }
  return names;
}

function hostOffers(text: string): Offer[] {
  return hostNames(text).map((name) => ({ label: name, insert: name, kind: "host", about: null }));
}

function valueOffers(schema: Schema, first: string): Offer[] {
  const quoted = first === '"' || first === "'";
  return valuesOf(schema).map(({ value, example }) => ({
    label: value,
    insert: quoted || !example ? value : scalar(value),
    kind: example ? "example" : "value",
    about: schema.description ?? null,
  }));
}

/** The value, in quotes if it has characters that may have a meaning in YAML. */
function scalar(value: string): string {
  return /^[A-Za-z~/][\w ./~-]*$/.test(value) || /^\d+$/.test(value) ? value : `"${value}"`;
}

function isGateway(path: readonly string[]): boolean {
  const [top, item, via] = path;
  return top === "routes" && item === ITEM && via === "via";
}

function isInFlow(text: string, at: number): boolean {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return line.lastIndexOf("{") > line.lastIndexOf("}");
}

/** The characters that are inserted after a key: `: ` before a value, and a new line before a map or list. */
function tail(schema: Schema, text: string, from: number, inFlow: boolean): string {
  const kind = opens(schema);
  if (inFlow || kind === "value") {
    return ": ";
  }
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const indent = " ".repeat(from - start);
  return kind === "list" ? `:\n${indent}  - ` : `:\n${indent}  `;
}
