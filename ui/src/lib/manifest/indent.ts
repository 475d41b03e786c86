// The indentation of a new line in a YAML text.

/**
 * The number of spaces with which the line after a text begins. After a key without a value, it is two more than
 * before. Otherwise it is the same as before.
 */
export function indentAfter(text: string): number {
  const lines = text.split("\n");
  // The text ends at the cursor. The new line begins there.
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
  // After `- via: x`, another key of the same item follows. After `- x`, another item follows.
  return /^[\w"'.-]+\s*:\s/.test(body) ? marks.length : indent;
}
