// The indentation of a new line in a YAML text.

/** The spaces of the line that follows a text: one step deeper behind a key that has nothing yet, and else as before. */
export function indentAfter(text: string): number {
  const lines = text.split("\n");
  // The line that is being broken ends where the text ends.
  const line = lines.findLast((one) => one.trim() !== "") ?? "";
  const indent = line.length - line.trimStart().length;
  const [marks = ""] = /^\s*(?:-\s+)*/.exec(line) ?? [];
  const body = line.slice(marks.length);
  if (body.startsWith("#")) {
    return indent;
  }
  if (/^[^#]*:\s*(?:#.*)?$/.test(body)) {
    return marks.length + 2;
  }
  // Behind `- via: x` comes another key of the same item; behind `- x` another item.
  return /^[\w"'.-]+\s*:\s/.test(body) ? marks.length : indent;
}
