// The JSON schema of the manifest, as far as the editor needs it: what may stand at a path, and what it means.
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

/** What may stand at a path; `null` where the schema knows nothing. */
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

/** The keys that a map may have. */
export function keysOf(schema: Schema): [string, Schema][] {
  return Object.entries(schema.properties ?? {});
}

export function hasType(schema: Schema, type: string): boolean {
  return schema.type === type || (Array.isArray(schema.type) && schema.type.includes(type));
}

/** What follows a key when it is written by completion: a value on the line, or a line that is one step deeper. */
export function opens(schema: Schema): "map" | "list" | "value" {
  if (hasType(schema, "string") || hasType(schema, "boolean") || hasType(schema, "integer")) {
    return "value";
  }
  return hasType(schema, "array") ? "list" : "map";
}

/** The values that the schema itself names. */
export function valuesOf(schema: Schema): { value: string; example: boolean }[] {
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => ({ value: String(value), example: false }));
  }
  if (hasType(schema, "boolean")) {
    return ["true", "false"].map((value) => ({ value, example: false }));
  }
  return (schema.examples ?? [])
    .flat()
    .filter((value) => ["string", "number", "boolean"].includes(typeof value))
    .map((value) => ({ value: String(value), example: true }));
}
