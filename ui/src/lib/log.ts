// The lines of the log page: cleared, filtered and searched, with a gap where lines are missing. Each new line is
// filtered once. All lines are filtered again only when the filter changes.
import { type LogEntry, type LogText, type Level, levelOf, LEVELS } from "./logText";
import type { LogLine } from "./types/LogLine";

export type LogFilter = {
  /** The host whose lines are shown. The empty text stands for the manager itself, and null for all lines. */
  host: string | null;
  /** The least severe level that is shown. */
  level: Level;
  search: RegExp | null;
  /** Whether lines without a hit of the search are hidden. */
  onlyHits: boolean;
  /** Whether lines that a host repeats are shown once, with a count. */
  fold: boolean;
};

export const NO_FILTER: LogFilter = { host: null, level: "output", search: null, onlyHits: false, fold: false };

/**
 * How many lines in a row may be repeated together and still be folded. A command that fails writes a few lines, and
 * the manager adds one or two about its end and the next try.
 */
const BLOCK_MAX = 6;

/**
 * The pattern for a search, from plain text or from a regular expression. If the expression is invalid, the error is
 * returned instead.
 */
export function searchFor(text: string, regex: boolean, matchCase = false): RegExp | null | { problem: string } {
  if (text === "") {
    return null;
  }
  const source = regex ? text : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  try {
    return new RegExp(source, matchCase ? "gu" : "giu");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    // Browsers repeat the whole expression before they say what is wrong. That part is cut off.
    return { problem: why.slice(why.lastIndexOf(": ") + 1).trim() };
  }
}

/** The hits of a search in a text, as pairs of their beginnings and ends. */
export function hits(search: RegExp | null, text: string): [number, number][] {
  if (search === null) {
    return [];
  }
  const found: [number, number][] = [];
  // An expression may match an empty text, which cannot be marked.
  for (const one of text.matchAll(search)) {
    if (one[0] !== "") {
      found.push([one.index, one.index + one[0].length]);
    }
  }
  return found;
}

/** Splits a text into pieces. Every second piece is a hit. */
export function pieces(text: string, found: [number, number][]): string[] {
  const parts: string[] = [];
  let at = 0;
  for (const [from, to] of found) {
    parts.push(text.slice(at, from), text.slice(from, to));
    at = to;
  }
  parts.push(text.slice(at));
  return parts;
}

export class Log {
  /** The lines to show, in order. */
  shown: LogEntry[] = [];
  /** The indexes of the entries in `shown` that have a hit. */
  found: number[] = [];
  /** The hosts that have lines in the log, in the order of their first lines. */
  hosts: string[] = [];
  /** The number of characters in the longest line. */
  longest = 0;
  #all: LogEntry[] = [];
  #total = 0;
  #last = 0;
  #newest: LogLine | null = null;
  #cleared = 0;
  #filter = NO_FILTER;
  /** The last shown lines of each host, oldest first. */
  #tails = new Map<string, LogText[]>();

  constructor(private readonly keep = 20_000) {}

  /** Adds the lines that are newer than the newest known line. Returns how many of them are shown. */
  take(lines: readonly LogLine[]): number {
    if (this.#isAnother(lines)) {
      this.reset();
    }
    const before = this.shown.length;
    const fresh = this.#fresh(lines);
    this.#newest = fresh.at(-1) ?? this.#newest;
    for (const line of fresh) {
      const expected = this.#last + 1;
      if (line.seq > expected) {
        this.#add({ kind: "gap", seq: line.seq - 1, count: line.seq - expected });
      }
      this.#last = line.seq;
      const host = "host" in line ? line.host : null;
      if (host !== null && !this.hosts.includes(host)) {
        this.hosts.push(host);
      }
      this.#add({ kind: "line", seq: line.seq, timeMs: line.timeMs, host, level: levelOf(line), text: line.sentence });
    }
    // Folding may have removed as many lines as were added.
    const added = Math.max(0, this.shown.length - before);
    // The oldest lines are removed many at a time, because each removal goes through all lines.
    if (this.#all.length > this.keep * 1.1) {
      this.#all = this.#all.slice(-this.keep);
      this.#total = this.#all.filter((entry) => entry.kind === "line").length;
      this.#rebuild();
    }
    return added;
  }

  reset(): void {
    this.#all = [];
    this.#total = 0;
    this.#last = 0;
    this.#newest = null;
    this.#cleared = 0;
    this.hosts = [];
    this.#rebuild();
  }

  /** Hides the lines that are shown now. `restore` shows them again. */
  clear(): void {
    this.#cleared = this.#last;
    this.#rebuild();
  }

  /** Shows the cleared lines again. */
  restore(): void {
    this.#cleared = 0;
    this.#rebuild();
  }

  get cleared(): boolean {
    return this.#cleared > 0;
  }

  /** The number of the newest line. */
  get last(): number {
    return this.#last;
  }

  /** The number of all lines, including hidden ones. */
  get total(): number {
    return this.#total;
  }

  filter(filter: LogFilter): void {
    this.#filter = filter;
    this.#rebuild();
  }

  /** Whether these lines come from a different run of the network. Its line numbers begin again. */
  #isAnother(lines: readonly LogLine[]): boolean {
    const newest = this.#newest;
    if (newest === null) {
      return false;
    }
    const same = lines.findLast((line) => line.seq <= newest.seq);
    return (lines.at(-1)?.seq ?? 0) < newest.seq || (same?.seq === newest.seq && same !== newest);
  }

  #fresh(lines: readonly LogLine[]): readonly LogLine[] {
    let from = lines.length;
    while (from > 0 && (lines[from - 1]?.seq ?? 0) > this.#last) from -= 1;
    return from === 0 ? lines : lines.slice(from);
  }

  #add(entry: LogEntry): void {
    this.#all.push(entry);
    this.#total += entry.kind === "line" ? 1 : 0;
    this.#show(entry);
  }

  #rebuild(): void {
    this.shown = [];
    this.found = [];
    this.longest = 0;
    this.#tails.clear();
    for (const entry of this.#all) {
      this.#show(entry);
    }
  }

  #show(entry: LogEntry): void {
    if (entry.seq <= this.#cleared) {
      return;
    }
    if (entry.kind === "line") {
      const { host, level, search, onlyHits } = this.#filter;
      if (host !== null && (entry.host ?? "") !== host) {
        return;
      }
      if (LEVELS.indexOf(entry.level) < LEVELS.indexOf(level)) {
        return;
      }
      const hit = search !== null && hits(search, entry.text).length > 0;
      if (onlyHits && search !== null && !hit) {
        return;
      }
      if (hit) {
        this.found.push(this.shown.length);
      }
      this.longest = Math.max(this.longest, entry.text.length);
      this.shown.push(entry);
      if (this.#filter.fold) {
        // The entry is copied, because its count is only for this view of the log.
        const mine = { ...entry };
        this.shown[this.shown.length - 1] = mine;
        this.#fold(mine);
      }
      return;
    }
    this.shown.push(entry);
  }

  /** Folds the last lines of a host into the lines before them, if they are the same. `last` was just added. */
  #fold(last: LogText): void {
    const host = last.host ?? "";
    const tail = [...(this.#tails.get(host) ?? []), last];
    for (let block = 1; block <= BLOCK_MAX && 2 * block <= tail.length; block += 1) {
      const again = tail.slice(-block);
      const before = tail.slice(-2 * block, -block);
      if (again.every((line, at) => isSame(line, before[at] as LogText))) {
        // These are new objects, so that the page notices the change.
        const folded = before.map((line, at): LogText => {
          const { text, lastMs, timeMs, times = 1 } = again[at] as LogText;
          const both = { ...line, text, times: (line.times ?? 1) + times, lastMs: lastMs ?? timeMs };
          this.shown[this.shown.lastIndexOf(line)] = both;
          return both;
        });
        this.#hide(new Set(again));
        this.#tails.set(host, [...tail.slice(0, -2 * block), ...folded]);
        return;
      }
    }
    this.#tails.set(host, tail.slice(-2 * BLOCK_MAX));
  }

  /** Removes some of the last lines. */
  #hide(lines: ReadonlySet<LogEntry>): void {
    let left = lines.size;
    for (let at = this.shown.length - 1; at >= 0 && left > 0; at -= 1) {
      if (lines.has(this.shown[at] as LogEntry)) {
        this.shown.splice(at, 1);
        this.found = this.found.filter((hit) => hit !== at).map((hit) => (hit > at ? hit - 1 : hit));
        left -= 1;
      }
    }
  }
}

/**
 * Whether two lines of a host say the same. In messages of the manager, numbers may differ, such as the number of a
 * try.
 */
function isSame(a: LogText, b: LogText): boolean {
  if (a.level !== b.level) {
    return false;
  }
  const plain = (text: string) => (a.level === "output" ? text : text.replace(/\d+/g, "0"));
  return plain(a.text) === plain(b.text);
}

/**
 * The line of the next hit after a line, or with `back`, of the hit before it. At the end of the log, the search
 * continues at the beginning, and the other way round. -1 if there are no hits.
 */
export function nextHit(found: readonly number[], from: number, back: boolean): number {
  if (found.length === 0) {
    return -1;
  }
  if (back) {
    const before = found.findLastIndex((at) => at < from);
    return before < 0 ? found.length - 1 : before;
  }
  const after = found.findIndex((at) => at > from);
  return after < 0 ? 0 : after;
}

/**
 * Whether the log scrolls with new lines. It stops when the person scrolls away from the end, and starts again when the
 * person returns to the end.
 */
export type Follow = { on: boolean; unseen: number };

export const FOLLOWING: Follow = { on: true, unseen: 0 };

export function scrolled(follow: Follow, atEnd: boolean): Follow {
  if (atEnd) {
    return follow.on && follow.unseen === 0 ? follow : FOLLOWING;
  }
  return follow.on ? { on: false, unseen: 0 } : follow;
}

export function came(follow: Follow, count: number): Follow {
  return follow.on || count === 0 ? follow : { on: false, unseen: follow.unseen + count };
}

/** The number of rows that a line takes if this many characters fit into a row. */
export function wrapped(text: string, columns: number): number {
  return Math.max(1, Math.ceil(text.length / Math.max(columns, 8)));
}
