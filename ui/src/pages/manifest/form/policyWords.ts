// The words that rules, tests and groups of the policy can have.
import { itemsOf } from "../../../lib/manifest/outlineFields";
import type { ListName, PolicyOutline } from "../../../lib/manifest/policyText";
import { t } from "../../../lib/strings";
import type { Outline } from "../../../lib/types/Outline";
import { typedPattern } from "../picture/typed";

const words = t.form.policy;

export class Known {
  readonly hosts: string[];
  readonly groups: string[];
  /** All names by which the manifest knows hosts and groups, in lower case. */
  readonly #all: Set<string>;
  readonly #targets: string[];

  constructor(outline: Outline, policy: PolicyOutline | null) {
    this.hosts = outline.hosts.map((host) => host.name);
    this.groups = policy?.groups.map((group) => group.name) ?? [];
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
