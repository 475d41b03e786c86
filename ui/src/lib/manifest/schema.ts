// The parts of the manifest's JSON schema that the editor needs: the keys and values of a path, and their descriptions.
import { ITEM } from "./place";

export type Schema = {
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  examples?: unknown[];
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: Schema;
  required?: string[];
};

/** The part of the schema for a path; `null` if the schema has no such path. */
export function schemaAt(schema: Schema, path: readonly string[]): Schema | null {
  let at: Schema | null = schema;
  for (const step of path) {
    at = at === null ? null : below(at, step);
  }
  return at;
}

function below(schema: Schema, step: string): Schema | null {
  if (step === ITEM) {
    return schema.items ?? null;
  }
  const known = schema.properties?.[step];
  if (known !== undefined) {
    return known;
  }
  return typeof schema.additionalProperties === "object" ? schema.additionalProperties : null;
}

export function keysOf(schema: Schema): [string, Schema][] {
  return Object.entries(schema.properties ?? {});
}

export function hasType(schema: Schema, type: string): boolean {
  return schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
}

/** Whether a key is followed by a value on the same line, or by a map or a list on the next line, one step deeper. */
export function opens(schema: Schema): "map" | "list" | "value" {
  if (hasType(schema, "string") || hasType(schema, "boolean") || hasType(schema, "integer")) {
    return "value";
  }
  return hasType(schema, "array") ? "list" : "map";
}

/** The values that the schema lists for a key: all that are possible, or else examples. */
export function valuesOf(schema: Schema): { value: string; example: boolean }[] {
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => ({ value: String(value), example: false }));
  }
  // Where a text is expected, the schema also allows true and false, but only as texts. They are not offered there.
  if (hasType(schema, "boolean") && !hasType(schema, "string")) {
    return ["true", "false"].map((value) => ({ value, example: false }));
  }
  return (schema.examples ?? [])
    .flat()
    .filter((value) => ["string", "number", "boolean"].includes(typeof value))
    .map((value) => ({ value: String(value), example: true }));
}
