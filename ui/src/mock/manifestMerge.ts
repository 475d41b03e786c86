// Merges the changes of two sides, line by line.
import { diff } from "../lib/manifest/lines";
import type { Conflict } from "../lib/types/Conflict";
import type { Merged } from "../lib/types/Merged";

/** A change of some lines of the base: from `from` to before `to`. */
type Hunk = { from: number; to: number; lines: string[] };

export function mergeTexts(base: string, mine: string, theirs: string): Merged {
  const lines = base.split("\n");
  const [ours, others] = [hunksOf(base, mine), hunksOf(base, theirs)];
  const merged: string[] = [];
  const conflicts: Conflict[] = [];
  let at = 0;
  while (ours.length > 0 || others.length > 0) {
    const start = Math.min(ours[0]?.from ?? Infinity, others[0]?.from ?? Infinity);
    let end = start;
    const [left, right]: [Hunk[], Hunk[]] = [[], []];
    // All changes that touch each other belong together.
    for (let grew = true; grew; ) {
      grew = false;
      for (const [from, into] of [[ours, left], [others, right]] as const) {
        const next = from[0];
        if (next !== undefined && (next.from < end || next.from === start || (next.from === end && end > start && next.from === next.to))) {
          into.push(next);
          from.shift();
          end = Math.max(end, next.to);
          grew = true;
        }
      }
    }
    merged.push(...lines.slice(at, start));
    const [mineNow, theirsNow] = [withHunks(lines, start, end, left), withHunks(lines, start, end, right)];
    if (left.length > 0 && right.length > 0 && mineNow.join("\n") !== theirsNow.join("\n")) {
      conflicts.push({ line: merged.length + 1, base: lines.slice(start, end).join("\n"), mine: mineNow.join("\n"), theirs: theirsNow.join("\n") });
      merged.push(...theirsNow);
    } else {
      merged.push(...(left.length > 0 ? mineNow : theirsNow));
    }
    at = end;
  }
  return { text: [...merged, ...lines.slice(at)].join("\n"), conflicts };
}

function hunksOf(base: string, text: string): Hunk[] {
  const hunks: Hunk[] = [];
  let at = 0;
  let open: Hunk | null = null;
  for (const line of diff(base, text)) {
    if (line.kind === "same") {
      open = null;
      at += 1;
      continue;
    }
    if (open === null) {
      open = { from: at, to: at, lines: [] };
      hunks.push(open);
    }
    if (line.kind === "gone") {
      at += 1;
      open.to = at;
    } else {
      open.lines.push(line.text);
    }
  }
  return hunks;
}

function withHunks(lines: string[], start: number, end: number, hunks: Hunk[]): string[] {
  const found: string[] = [];
  let at = start;
  for (const hunk of hunks) {
    found.push(...lines.slice(at, hunk.from), ...hunk.lines);
    at = hunk.to;
  }
  return [...found, ...lines.slice(at, end)];
}
