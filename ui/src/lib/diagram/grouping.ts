// Groups of hosts in a diagram.

export type Group = { key: string; title: string; hosts: string[] };

/** The beginning of a name, up to its number or its domain. For `prod-eu-web-03.example.com`, this is `prod-eu-web`. */
export function prefixOf(name: string): string {
  return (/^[^\d.]*/.exec(name)?.[0] ?? "").replace(/[-_]+$/, "");
}

/**
 * Groups hosts by a key, in the order of the first host of each group. Groups with fewer than `least` hosts are joined
 * into one group, with the title `other`.
 */
export function collected<T extends { name: string }>(hosts: readonly T[], keyOf: (host: T) => string, title: (key: string, first: T) => string, least: number, other: string): Group[] {
  const found = new Map<string, T[]>();
  for (const host of hosts) {
    const key = keyOf(host);
    const members = found.get(key);
    if (members === undefined) {
      found.set(key, [host]);
    } else {
      members.push(host);
    }
  }
  const all = Array.from(found, ([key, members]) => ({ key, members }));
  const large = all.filter(({ members }) => members.length >= least);
  const rest = all.filter(({ members }) => members.length < least).flatMap(({ members }) => members);
  const groups = large.map(({ key, members }) => ({ key, title: title(key, members[0] as T), hosts: members.map((host) => host.name) }));
  return rest.length === 0 ? groups : [...groups, { key: "/other", title: other, hosts: rest.map((host) => host.name) }];
}
