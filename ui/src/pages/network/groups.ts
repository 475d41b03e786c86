// The groups of hosts in the diagram and in the list.
import { collected, type Group, prefixOf } from "../../lib/diagram/grouping";
import type { Path } from "../../lib/jump";
import { t } from "../../lib/strings";
import type { HostState } from "../../lib/types/HostState";
import { URGENCY } from "./urgency";

export const GROUPINGS = ["none", "prefix", "path", "state"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** The properties of a host that decide its group. */
export type Grouped = { name: string; state: HostState; path: Path };

/** The groups, in a fixed order. If nothing is grouped, there is one group without a title. */
export function groupsOf(hosts: readonly Grouped[], by: Grouping): Group[] {
  switch (by) {
    case "none":
      return hosts.length === 0 ? [] : [{ key: "", title: "", hosts: hosts.map((host) => host.name) }];
    case "state":
      return URGENCY.map((state) => ({ key: state, title: t.states.word[state], hosts: hosts.filter((host) => host.state === state).map((host) => host.name) })).filter(
        (group) => group.hosts.length > 0,
      );
    case "path":
      return collected(hosts, (host) => host.path.key, (_, first) => toldPath(first.path), 1, t.network.groups.other);
    case "prefix":
      return collected(hosts, (host) => prefixOf(host.name), (key) => key, 2, t.network.groups.other);
  }
}

/** The path to a host in words: `direct`, `via jump.example.com`, `through kubectl`. */
export function toldPath(path: Path): string {
  const words = t.network.path;
  switch (path.kind) {
    case "here":
      return words.here;
    case "direct":
      return words.direct;
    case "via":
      return words.via(path.machines);
    case "program":
      return words.program(path.program);
  }
}
