// The difference of two texts, line by line.

export type DiffLine = {
  kind: "same" | "gone" | "new";
  text: string;
  /** The number of the line in the old and in the new text, from 1; null if that text does not have it. */
  old: number | null;
  now: number | null;
};

/**
 * The number of pairs of lines above which the lines between the equal ends are not compared, but all shown as gone and
 * new.
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

/** For each pair of places in both texts, the length of the longest common subsequence of the lines from there on. */
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

/** The changed lines with a few lines around them; `null` stands for lines that are left out. */
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

/** The one range in which two texts differ, so that an editor can replace only this range and keep its cursor. */
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
