// The table of fields, made from the schema of the manifest. The real program has it in its code, and makes the schema
// from it.
import schema from "../../../docs/manifest.schema.json";
import type { FieldSpec } from "../lib/types/FieldSpec";

type Node = {
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  examples?: unknown[];
  pattern?: string;
  properties?: Record<string, Node>;
  required?: string[];
  items?: Node;
};

const top = schema.properties as unknown as Record<string, Node>;

const policy = top["policy"]?.properties ?? {};

/** The schema has its keys in alphabetical order. In the program, these keys come first. */
const FIRST = ["vip", "cmd", "ssh"];
const FIRST_OF: Partial<Record<FieldSpec["of"], string[]>> = { route: ["via", "to"], rule: ["from", "to", "via", "ports", "action"], test: ["from", "to", "expect"] };

const ALL: FieldSpec[] = [
  ...(top["network"] === undefined ? [] : [spec("manifest", "network", top["network"], false)]),
  ...below("template", "", top["hostTemplate"]),
  ...below("host", "", (schema.properties.hosts as unknown as { additionalProperties: Node }).additionalProperties),
  ...below("route", "", top["routes"]?.items),
  ...(policy["default"] === undefined ? [] : [spec("manifest", "policy.default", policy["default"], false)]),
  ...below("rule", "", policy["rules"]?.items),
  ...below("test", "", policy["tests"]?.items),
];

export const FIELDS = ALL.toSorted((a, b) => rank(a) - rank(b));

function rank({ of, field }: FieldSpec): number {
  const first = FIRST_OF[of] ?? FIRST;
  const at = first.indexOf(field);
  return at < 0 ? first.length : at;
}

function below(of: FieldSpec["of"], prefix: string, map: Node | undefined): FieldSpec[] {
  return Object.entries(map?.properties ?? {}).flatMap(([key, node]) => {
    const inner = node.properties === undefined ? [] : below(of, `${prefix}${key}.`, node);
    return isMapOnly(node) ? inner : [spec(of, prefix + key, node, map?.required?.includes(key) ?? false), ...inner];
  });
}

function types(node: Node): string[] {
  return [node.type ?? []].flat();
}

function isMapOnly(node: Node): boolean {
  return types(node).includes("object") && !types(node).includes("string");
}

function spec(of: FieldSpec["of"], field: string, node: Node, required: boolean): FieldSpec {
  const all = types(node);
  const isList = all.includes("array");
  const form = node.enum !== undefined ? "word" : isList ? (all.includes("string") ? "textOrTexts" : "texts") : all.includes("string") || all.includes("integer") ? "text" : "flag";
  const words = (node.enum ?? []).filter((word) => word !== null).map(String);
  return { of, field, form, words, required, doc: node.description ?? "", example: JSON.stringify(node.examples?.[0] ?? ""), pattern: node.pattern ?? node.items?.pattern ?? null };
}
