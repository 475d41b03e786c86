// The words that rules, tests and groups of the policy can have.
import { itemsOf } from "../../../lib/manifest/outlineFields";
import type { ListName } from "../../../lib/manifest/typed.svelte";
import { t } from "../../../lib/strings";
import type { FieldValue } from "../../../lib/types/FieldValue";
import type { Outline } from "../../../lib/types/Outline";
import { typedPattern } from "../picture/typed";

const words = t.form.policy;

export class Known {
  readonly hosts: string[];
  readonly groups: string[];
  /** All names by which the manifest knows hosts and groups, in lower case. */
  readonly #all: Set<string>;
  readonly #targets: string[];

  constructor(outline: Outline) {
    this.hosts = outline.hosts.map((host) => host.name);
    this.groups = outline.policy?.groups.map((group) => group.field) ?? [];
    const others = outline.hosts.flatMap((host) => [host.vip, ...itemsOf(host.fields, "aliases")]);
    this.#all = new Set([...this.hosts, ...others, ...this.groups].map((name) => name.toLowerCase()));
    this.#targets = outline.hosts.flatMap((host) => itemsOf(host.fields, "ports").map((port) => `${host.name}:${Number.parseInt(port, 10)}`));
    const routed = outline.routes.flatMap((route) => itemsOf(route.fields, "to"));
    this.#routed = Array.from(new Set(routed));
  }

  readonly #routed: string[];

  has(name: string): boolean {
    return this.#all.has(name.toLowerCase());
  }

  /** The words that are offered for a key. */
  options(list: ListName, key: string): string[] {
    const names = [...this.hosts, ...this.groups];
    switch (key) {
      case "from":
        return [...names, "*"];
      case "to":
        return list === "tests" ? this.#targets : [...names, ...this.#routed, "*"];
      case "via":
        return this.hosts;
      default:
        return [];
    }
  }
}

/** The words of a key as the manifest has them: a single word is a text, and several are a list. Ports are always a list. */
export function valueOf(key: string, all: readonly string[]): FieldValue {
  const [first, ...others] = all;
  return first === undefined ? null : others.length === 0 && key !== "ports" ? first : [...all];
}

/** Says what is wrong with a word; null if it is valid. The check of the manifest says everything else. */
export function wrongWord(known: Known, list: ListName, key: string, word: string): string | null {
  if (key === "ports") {
    const ports = word.split("-").map(Number);
    const isRange = /^\d{1,5}(-\d{1,5})?$/.test(word) && ports.every((port) => port >= 1 && port <= 65_535) && (ports[0] ?? 0) <= (ports[1] ?? 65_535);
    return isRange ? null : words.wrongPort;
  }
  if (list === "tests" && key === "to") {
    return /^.+:\d{1,5}$/.test(word) ? null : words.wrongTarget;
  }
  if (word === "*" && key !== "via") {
    return null;
  }
  if (known.has(word)) {
    return null;
  }
  // A name without a dot or a star can only be a host or a group.
  return key === "to" && /[.*:/]/.test(word) ? typedPattern(word).wrong : words.unknown(word);
}
