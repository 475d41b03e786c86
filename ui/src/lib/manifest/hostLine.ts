// Finds the line of a host in a manifest. It does not use a parser, because the file may have errors.

/** The line of a host's key, from 1; null if it is not found. */
export function hostLine(text: string, name: string): number | null {
  let inside = false;
  let depth: number | null = null;
  for (const [at, line] of text.split("\n").entries()) {
    const content = line.trimStart();
    if (content === "" || content.startsWith("#")) {
      continue;
    }
    const indent = line.length - content.length;
    if (indent === 0) {
      inside = keyOf(content) === "hosts";
      depth = null;
    } else if (inside) {
      // All hosts have the same indentation as the first one.
      depth ??= indent;
      if (indent === depth && keyOf(content) === name) {
        return at + 1;
      }
    }
  }
  return null;
}

function keyOf(content: string): string | null {
  const found = /^(?:"([^"]*)"|'([^']*)'|([^\s"'#][^:]*?))\s*:(?:\s|$)/.exec(content);
  return found === null ? null : (found[1] ?? found[2] ?? found[3] ?? null);
}
