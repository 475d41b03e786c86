// The difference between two texts, line by line.

export type DiffLine = {
  kind: "same" | "gone" | "new";
  text: string;
  /** The number of the line in the old text, from 1; null if the old text does not have the line. */
  old: number | null;
  /** The number of the line in the new text, from 1; null if the new text does not have the line. */
  now: number | null;
};

/**
 * The maximum number of pairs of lines that are compared. If there are more, the lines between the equal beginnings and
 * ends are not compared: all of the old ones are shown as removed, and all of the new ones as added.
 */
const MOST_PAIRS = 4_000_000;

/** The lines of both texts, in order. */
export function diff(before: string, after: string): DiffLine[] {
  const a = before.split("\n");
  const b = after.split("\n");
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) {
    head += 1;
  }
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) {
    tail += 1;
  }
  const lines: DiffLine[] = [];
  const same = (i: number, j: number) => lines.push({ kind: "same", text: a[i] ?? "", old: i + 1, now: j + 1 });
  for (let at = 0; at < head; at += 1) {
    same(at, at);
  }
  middle(a, b, head, a.length - tail, b.length - tail, lines);
  for (let at = tail; at > 0; at -= 1) {
    same(a.length - at, b.length - at);
  }
  return lines;
}

/** Compares the lines between the equal beginnings and ends of both texts, by their longest common subsequence. */
function middle(a: string[], b: string[], from: number, aEnd: number, bEnd: number, lines: DiffLine[]): void {
  const height = aEnd - from;
  const width = bEnd - from;
  const gone = (i: number) => lines.push({ kind: "gone", text: a[i] ?? "", old: i + 1, now: null });
  const fresh = (j: number) => lines.push({ kind: "new", text: b[j] ?? "", old: null, now: j + 1 });
  const common = height * width > MOST_PAIRS ? null : lengths(a, b, from, height, width);
  const left = (i: number, j: number) => common?.[(i - from) * (width + 1) + (j - from)] ?? 0;
  let i = from;
  let j = from;
  while (i < aEnd || j < bEnd) {
    if (common !== null && i < aEnd && j < bEnd && a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i] ?? "", old: i + 1, now: j + 1 });
      i += 1;
      j += 1;
    } else if (i < aEnd && (j >= bEnd || left(i + 1, j) >= left(i, j + 1))) {
      gone(i);
      i += 1;
    } else {
      fresh(j);
      j += 1;
    }
  }
}

/**
 * For each pair of places in both texts: the length of the longest common subsequence of the lines from there to the
 * end.
 */
function lengths(a: string[], b: string[], from: number, height: number, width: number): Uint32Array {
  const table = new Uint32Array((height + 1) * (width + 1));
  for (let i = height - 1; i >= 0; i -= 1) {
    for (let j = width - 1; j >= 0; j -= 1) {
      const at = i * (width + 1) + j;
      const down = table[at + width + 1] ?? 0;
      const right = table[at + 1] ?? 0;
      table[at] = a[from + i] === b[from + j] ? (table[at + width + 2] ?? 0) + 1 : Math.max(down, right);
    }
  }
  return table;
}

/** The changed lines, with a few lines around them. `null` stands for lines that are left out. */
export function hunks(lines: DiffLine[], around = 3): (DiffLine | null)[] {
  const near = lines.map(() => false);
  lines.forEach((line, at) => {
    if (line.kind !== "same") {
      near.fill(true, Math.max(0, at - around), at + around + 1);
    }
  });
  const shown: (DiffLine | null)[] = [];
  lines.forEach((line, at) => {
    if (near[at]) {
      shown.push(line);
    } else if (shown.at(-1) !== null) {
      shown.push(null);
    }
  });
  return shown;
}

/** The range in which two texts differ. An editor can replace only this range, and keep its cursor. */
export function splice(before: string, after: string): { from: number; to: number; insert: string } {
  let from = 0;
  while (from < before.length && from < after.length && before[from] === after[from]) {
    from += 1;
  }
  let end = 0;
  const most = Math.min(before.length, after.length) - from;
  while (end < most && before[before.length - 1 - end] === after[after.length - 1 - end]) {
    end += 1;
  }
  return { from, to: before.length - end, insert: after.slice(from, after.length - end) };
}

/** The ranges in which two texts differ, as far as their lines can be told apart. The offsets are those in `before`. */
export function splices(before: string, after: string): { from: number; to: number; insert: string }[] {
  const found: { from: number; gone: string; fresh: string }[] = [];
  let at = 0;
  let open: (typeof found)[number] | null = null;
  const ended = (line: DiffLine) => `${line.text}\n`;
  for (const line of diff(before, after)) {
    if (line.kind === "same") {
      open = null;
    } else if (open === null) {
      open = { from: at, gone: "", fresh: "" };
      found.push(open);
    }
    if (line.kind === "gone" && open !== null) {
      open.gone += ended(line);
    }
    if (line.kind === "new" && open !== null) {
      open.fresh += ended(line);
    }
    at += line.kind === "new" ? 0 : ended(line).length;
  }
  const parts = found.map(({ from, gone, fresh }) => {
    const inner = splice(gone, fresh);
    return { from: from + inner.from, to: from + inner.to, insert: inner.insert };
  });
  // If the last line is gone or new, its line break may not exist. Then the texts have only one range.
  return spliced(before, parts) === after ? parts : [splice(before, after)];
}

/** The text with other texts in place of these ranges. */
function spliced(text: string, parts: readonly { from: number; to: number; insert: string }[]): string {
  return parts.reduceRight((now, { from, to, insert }) => now.slice(0, from) + insert + now.slice(to), text);
}
