// Adds hosts to the text of a manifest. Only lines are added: all others stay as the person wrote them.

export type NewHost = { name: string; command: string[] };

/**
 * The text with the hosts after the last one of `hosts:`, and the names that they have there; `null` if the hosts of the
 * text are not written one below the other.
 */
export function addHosts(text: string, hosts: NewHost[]): { text: string; names: string[] } | null {
  const lines = text.split("\n");
  const head = lines.findIndex((line) => /^hosts\s*:\s*(#.*)?$/.test(line));
  if (head < 0) {
    return null;
  }
  const isContent = (line: string) => line.trim() !== "" && !line.trimStart().startsWith("#");
  const next = lines.findIndex((line, at) => at > head && isContent(line) && !/^\s/.test(line));
  const block = lines.slice(head + 1, next < 0 ? lines.length : next);
  const first = block.find(isContent);
  const last = head + 1 + block.findLastIndex(isContent);
  const indent = first === undefined ? "  " : (/^\s*/.exec(first)?.[0] ?? "  ");
  const taken = new Set(block.filter((line) => line.startsWith(indent) && /^\S/.test(line.slice(indent.length))).map(keyOf));
  const names = hosts.map(({ name }) => hostName(name, taken));
  const added = hosts.flatMap(({ command }, at) => [
    `${indent}${names[at]}:`,
    // A JSON string is also a YAML string with the same value.
    `${indent}  cmd: [${command.map((word) => JSON.stringify(word)).join(", ")}]`,
  ]);
  return { text: lines.toSpliced(last + 1, 0, ...added).join("\n"), names };
}

function keyOf(line: string): string {
  return line.trim().replace(/\s*:.*$/, "").replace(/^["']|["']$/g, "");
}

/** A valid name of a host that is not taken yet. The app names the hosts of a new manifest in the same way. */
function hostName(from: string, taken: Set<string>): string {
  const trimmed = (name: string) => name.replace(/^-+|-+$/g, "");
  const plain = trimmed(trimmed(from.toLowerCase().replace(/[^a-z0-9]/g, "-")).slice(0, 40));
  const base = plain === "" || plain === "localhost" || /^\d+$/.test(plain) ? "host" : plain;
  let name = base;
  for (let number = 2; taken.has(name); number += 1) {
    name = `${base}-${number}`;
  }
  taken.add(name);
  return name;
}
