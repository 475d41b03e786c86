// The indentation of a new line in a YAML text.

/**
 * The number of spaces at the beginning of the line that follows a text: two more after a key without a value, and
 * otherwise as many as before.
 */
export function indentAfter(text: string): number {
  const lines = text.split("\n");
  // The text ends at the cursor, where the new line begins.
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
  // After `- via: x`, another key of the same item follows; after `- x`, another item.
  return /^[\w"'.-]+\s*:\s/.test(body) ? marks.length : indent;
}
