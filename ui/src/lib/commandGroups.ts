// Groups commands that differ only in one part, so that a long list can be read. No word is lost: a group contains the
// value of that part for each of its hosts.
import type { ConsentHost } from "./types/ConsentHost";

export type CommandGroup = {
  /** The words that all commands share, with `*` in place of the part that differs. */
  pattern: string[];
  members: { host: ConsentHost; value: string }[];
};

/** A command, or a group of commands. */
export type Listed = ConsentHost | CommandGroup;

/** The smallest group. For fewer commands, a pattern is harder to read than the commands. */
const SMALLEST = 4;

/**
 * A part that may be replaced by `*`. It has no spaces, and no characters with which a shell could run something else.
 */
const PLAIN = /^[\w@%+=:,./-]+$/;

type Masked = { key: string; pattern: string[]; value: string };

export function isGroup(listed: Listed): listed is CommandGroup {
  return "pattern" in listed;
}

/**
 * The commands that stand alone, in their order, and then the groups. What differs from everything else should be seen
 * first.
 */
export function grouped(hosts: ConsentHost[]): Listed[] {
  const masks = new Map(hosts.map((host) => [host, masksOf(host)]));
  const sizes = new Map<string, number>();
  for (const { key } of [...masks.values()].flat()) {
    sizes.set(key, (sizes.get(key) ?? 0) + 1);
  }
  const groups = new Map<string, CommandGroup>();
  const listed: Listed[] = [];
  for (const host of hosts) {
    const size = (mask: Masked) => sizes.get(mask.key) ?? 0;
    const best = (masks.get(host) ?? []).reduce<Masked | null>((best, mask) => (best === null || size(mask) > size(best) ? mask : best), null);
    if (best === null || size(best) < SMALLEST) {
      listed.push(host);
      continue;
    }
    let group = groups.get(best.key);
    if (group === undefined) {
      group = { pattern: best.pattern, members: [] };
      groups.set(best.key, group);
      listed.push(group);
    }
    group.members.push({ host, value: best.value });
  }
  // Some hosts may have been put into a larger group. This group may therefore be too small now.
  const whole = listed.flatMap((each) => (isGroup(each) && each.members.length < SMALLEST ? each.members.map(({ host }) => host) : [each]));
  return whole.toSorted((a, b) => Number(isGroup(a)) - Number(isGroup(b)));
}

/**
 * The patterns that fit a command. In a pattern, the name of the host is replaced wherever it occurs, or one of the
 * words is replaced. The program and the options are never replaced, because they decide what runs.
 */
function masksOf({ host, command }: ConsentHost): Masked[] {
  if (command.some((word) => word.includes("*"))) {
    return [];
  }
  const masked = (pattern: string[], value: string): Masked => ({ key: JSON.stringify(pattern), pattern, value });
  const [program = "", ...rest] = command;
  const found = PLAIN.test(host) && rest.some((word) => word.includes(host)) ? [masked([program, ...rest.map((word) => word.replaceAll(host, "*"))], host)] : [];
  command.forEach((word, at) => {
    if (at > 0 && PLAIN.test(word) && !word.startsWith("-")) {
      found.push(masked(command.with(at, "*"), word));
    }
  });
  return found;
}
