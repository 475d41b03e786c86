// Makes the edits that change how a host is reached: by another kind of command, or by another part of the same kind.
import { splitWords } from "../../../lib/manifest/shellWords";
import { fieldNamed, groupOf } from "../../../lib/manifest/outlineFields";
import type { EditRequest } from "../../../lib/types/EditRequest";
import type { FieldValue } from "../../../lib/types/FieldValue";
import type { HostOutline } from "../../../lib/types/HostOutline";
import type { Way } from "../../../lib/types/Way";
import { type Subject, valueEdit } from "./subject";

/** The field that a new host of a kind needs; null for this machine. */
export const TARGET: Record<Way, string | null> = {
  local: null,
  ssh: "ssh",
  docker: "docker",
  podman: "podman",
  kubernetes: "kubernetes.deployment",
  lxc: "lxc",
  wsl: "wsl",
  shell: "shell",
  cmd: "cmd",
};

export const KINDS = Object.keys(TARGET) as Way[];

/** A host has only one of these fields. */
const ONE_OF = ["kubernetes.pod", "kubernetes.deployment", "kubernetes.selector"];

/** Makes the value of the target of a kind from the typed text; null if a quote in it is never closed. */
export function targetValue(way: Way, text: string): FieldValue {
  if (way === "ssh") {
    return sshValue(splitWords(text));
  }
  return way === "shell" ? splitWords(text) : text;
}

/** The value of `ssh` in the manifest: a list of arguments, or one text if there is only a destination. */
export function sshValue(words: readonly string[] | null): FieldValue {
  return words === null ? null : words.length === 1 ? (words[0] as string) : [...words];
}

/** The edits that change how a host is reached. */
export function changeWay(host: HostOutline, way: Way, target: string): EditRequest[] {
  const owner = { kind: "host", name: host.name } as const;
  const old = new Set(host.fields.filter(({ field }) => groupOf(field) === "reach").map(({ field }) => field.split(".")[0] ?? ""));
  const edits = Array.from(old, (field): EditRequest => ({ kind: "clear", owner, field, reach: null }));
  const field = TARGET[way];
  return field === null ? edits : [...edits, { kind: "set", owner, field, value: targetValue(way, target), reach: null }];
}

/** The edits that set one part, and clear the parts that exclude it. */
export function partEdits(subject: Subject, field: string, text: string): EditRequest[] {
  const { owner, fields } = subject;
  const top = field.split(".")[0] ?? field;
  const against = ONE_OF.includes(field) ? ONE_OF.filter((other) => other !== field && fieldNamed(fields, other) !== null) : [];
  // `docker: NAME` and `docker: {service: ...}` exclude each other. If the other form is in the manifest, it is cleared
  // first.
  const other = field === top ? fields.some((one) => one.field.startsWith(`${top}.`)) : fieldNamed(fields, top) !== null;
  const clear = (name: string): EditRequest => ({ kind: "clear", owner, field: name, reach: null });
  return text === "" ? [clear(field)] : [...(other ? [clear(top)] : []), valueEdit(subject, field, text), ...against.map(clear)];
}
