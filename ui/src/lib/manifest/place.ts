// Describes a position in a YAML text: the keys above it, and the key or value that is being written there. A text that
// is being typed is often not valid YAML, so the position is found only by indentation, and by the braces of one line.

export type Place = {
  /** The keys that lead to the position; `[]` stands for an item of a list. */
  path: string[];
  /**
   * What is being written: a key of a map, a value of a key or of an item of a list, or something that is not known.
   */
  what: "key" | "value" | "none";
  /** The offset at which the word at the position begins. */
  from: number;
  /** The part of this word before the position. */
  word: string;
  /** The keys that the map at the position has already. */
  siblings: string[];
};

type Line = { indent: number; text: string; start: number };

export const ITEM = "[]";

/** Describes a position in a text. */
export function placeAt(text: string, at: number): Place {
  const lines = linesUntil(text, at);
  const current = lines.at(-1) ?? { indent: 0, text: "", start: 0 };
  const before = text.slice(current.start, at);
  if (insideComment(before) || insideQuotes(before)) {
    return nowhere(at);
  }
  const flow = openBrace(before);
  const head = flow === null ? before : before.slice(0, flow.at);
  const { dashes, key, rest, column } = split(head);
  // The depth of a list item is that of its first dash.
  const path = parents(lines.slice(0, -1), current.indent, dashes > 0);
  for (let n = 0; n < dashes; n += 1) {
    path.push(ITEM);
  }
  if (key !== null) {
    path.push(key);
  }
  if (flow !== null) {
    return inFlow(path, flow, before, current.start);
  }
  const from = current.start + (key === null ? column : before.length - rest.trimStart().length);
  const word = text.slice(from, at);
  if (key === null) {
    return { path, what: "key", from, word, siblings: siblings(text, lines, current, column) };
  }
  return { path, what: "value", from, word, siblings: [] };
}

function nowhere(at: number): Place {
  return { path: [], what: "none", from: at, word: "", siblings: [] };
}

function linesUntil(text: string, at: number): Line[] {
  const lines: Line[] = [];
  let start = 0;
  for (const one of text.slice(0, at).split("\n")) {
    lines.push({ indent: one.length - one.trimStart().length, text: one, start });
    start += one.length + 1;
  }
  return lines;
}

function isBlank(line: string): boolean {
  const trimmed = line.trim();
  return trimmed === "" || trimmed.startsWith("#");
}

function insideComment(before: string): boolean {
  return /^\s*#|\s#/.test(before.replace(/"[^"]*"|'[^']*'/g, ""));
}

function insideQuotes(before: string): boolean {
  const open = before.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, "").match(/(?<=^|[\s[{,:-])["']/);
  return open !== null;
}

/** The parts of a line: its dashes, its key and the rest. `column` is where the key or the first word begins. */
function split(line: string): { dashes: number; key: string | null; rest: string; column: number } {
  const marks = /^\s*(?:-\s+)*/.exec(line)?.[0] ?? "";
  const dashes = marks.split("-").length - 1;
  const body = line.slice(marks.length);
  const key = /^("[^"]*"|'[^']*'|[^\s:#][^:#]*?)\s*:(?=\s|$)/.exec(body);
  return {
    dashes,
    key: key === null ? null : unquoted(key[1] ?? ""),
    rest: key === null ? body : body.slice(key[0].length),
    column: marks.length,
  };
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/, "$2");
}

/** The keys that lead to a line with this depth. */
function parents(lines: Line[], depth: number, isItem: boolean): string[] {
  const path: string[] = [];
  let limit = depth;
  // A list may have the same indentation as its key.
  let level = isItem;
  for (const line of lines.toReversed()) {
    if (isBlank(line.text)) {
      continue;
    }
    const { dashes, key, column } = split(line.text);
    const under = column < limit || (level && column === limit);
    if (key !== null && under) {
      path.unshift(key);
      limit = column;
      level = false;
    }
    if (dashes > 0 && line.indent < limit) {
      path.unshift(...Array.from({ length: dashes }, () => ITEM));
      limit = line.indent;
      level = true;
    }
    if (limit === 0 && !level) {
      break;
    }
  }
  return path;
}

/** The other keys of the map that a line belongs to. */
function siblings(text: string, lines: Line[], current: Line, column: number): string[] {
  const found: string[] = [];
  const look = (line: string): boolean => {
    if (isBlank(line)) {
      return true;
    }
    const at = split(line);
    if (at.column < column || (at.column === column && at.dashes === 0 && /^\s*-/.test(line))) {
      return false;
    }
    if (at.column === column && at.key !== null) {
      found.push(at.key);
    }
    // A map in a list begins after the dash of its item.
    return at.column !== column || at.dashes === 0;
  };
  if (split(current.text).dashes === 0) {
    for (const line of lines.slice(0, -1).toReversed()) {
      if (!look(line.text)) {
        break;
      }
    }
  }
  const after = text.slice(current.start).split("\n").slice(1);
  for (const line of after) {
    if (split(line).dashes > 0 && split(line).column <= column) {
      break;
    }
    if (!look(line)) {
      break;
    }
  }
  return found;
}

type Brace = { kind: "{" | "["; at: number };

/** The braces that are still open at the end of a line. `at` is the position of the first one. */
function openBrace(before: string): { at: number; open: Brace[] } | null {
  const open: Brace[] = [];
  const bare = before.replace(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) => "x".repeat(quoted.length));
  for (let at = 0; at < bare.length; at += 1) {
    const char = bare[at];
    if ((char === "{" || char === "[") && /[\s:[{,-]$|^$/.test(bare.slice(0, at))) {
      open.push({ kind: char, at });
    } else if ((char === "}" || char === "]") && open.length > 0) {
      open.pop();
    }
  }
  const first = open[0];
  return first === undefined ? null : { at: first.at, open };
}

/** The place inside the braces of one line, such as `{a: 1, b: [`. */
function inFlow(path: string[], flow: { open: Brace[] }, before: string, start: number): Place {
  const full = [...path];
  flow.open.forEach((brace, n) => {
    const next = flow.open[n + 1];
    const inside = before.slice(brace.at + 1, next?.at);
    const part = inside.slice(lastComma(inside) + 1);
    if (brace.kind === "[") {
      full.push(ITEM);
    }
    if (next !== undefined && brace.kind === "{") {
      full.push(unquoted(part.replace(/:\s*$/, "").trim()));
    }
  });
  const last = flow.open.at(-1);
  if (last === undefined) {
    return nowhere(start + before.length);
  }
  const inside = before.slice(last.at + 1);
  const comma = lastComma(inside);
  const part = inside.slice(comma + 1);
  const key = /^\s*("[^"]*"|'[^']*'|[^\s:,]+)\s*:\s/.exec(part);
  const offset = last.at + 1 + comma + 1;
  if (last.kind === "{" && key === null) {
    const from = start + offset + (part.length - part.trimStart().length);
    const keys = Array.from(inside.slice(0, comma + 1).matchAll(/(?:^|,)\s*([\w-]+)\s*:/g), (found) => found[1] ?? "");
    return { path: full, what: "key", from, word: part.trimStart(), siblings: keys };
  }
  const value = key === null ? part.trimStart() : part.slice(key[0].length);
  if (key !== null) {
    full.push(unquoted(key[1] ?? ""));
  }
  return { path: full, what: "value", from: start + before.length - value.length, word: value, siblings: [] };
}

/** The last comma that is not inside inner braces. */
function lastComma(text: string): number {
  let depth = 0;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    const char = text[at];
    if (char === "}" || char === "]") {
      depth += 1;
    } else if (char === "{" || char === "[") {
      depth -= 1;
    } else if (char === "," && depth === 0) {
      return at;
    }
  }
  return -1;
}
