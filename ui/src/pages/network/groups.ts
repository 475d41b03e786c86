// The groups of hosts in the diagram and in the list.
import type { Path } from "../../lib/jump";
import { t } from "../../lib/strings";
import type { HostState } from "../../lib/types/HostState";
import { URGENCY } from "./urgency";

export const GROUPINGS = ["none", "prefix", "path", "state"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export type Group = { key: string; title: string; hosts: string[] };

/** What decides the group of a host. */
export type Grouped = { name: string; state: HostState; path: Path };

/** The groups in a fixed order. Without a grouping, there is one group without a title. */
export function groupsOf(hosts: readonly Grouped[], by: Grouping): Group[] {
  switch (by) {
    case "none":
      return hosts.length === 0 ? [] : [{ key: "", title: "", hosts: hosts.map((host) => host.name) }];
    case "state":
      return URGENCY.map((state) => ({ key: state, title: t.states.word[state], hosts: hosts.filter((host) => host.state === state).map((host) => host.name) })).filter(
        (group) => group.hosts.length > 0,
      );
    case "path":
      return collected(hosts, (host) => host.path.key, (_, first) => toldPath(first.path), 1);
    case "prefix":
      return collected(hosts, (host) => prefixOf(host.name), (key) => key, 2);
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

/** The beginning of a name, up to its number or its domain: `prod-eu-web` for `prod-eu-web-03.example.com`. */
export function prefixOf(name: string): string {
  return (/^[^\d.]*/.exec(name)?.[0] ?? "").replace(/[-_]+$/, "");
}

/** Groups by a key, in the order of their first hosts. Groups with fewer hosts than `least` are joined into one. */
function collected(hosts: readonly Grouped[], keyOf: (host: Grouped) => string, title: (key: string, first: Grouped) => string, least: number): Group[] {
  const found = new Map<string, Grouped[]>();
  for (const host of hosts) {
    const key = keyOf(host);
    found.set(key, [...(found.get(key) ?? []), host]);
  }
  const all = Array.from(found, ([key, members]) => ({ key, members }));
  const large = all.filter(({ members }) => members.length >= least);
  const rest = all.filter(({ members }) => members.length < least).flatMap(({ members }) => members);
  const groups = large.map(({ key, members }) => ({ key, title: title(key, members[0] as Grouped), hosts: members.map((host) => host.name) }));
  return rest.length === 0 ? groups : [...groups, { key: "/other", title: t.network.groups.other, hosts: rest.map((host) => host.name) }];
}
