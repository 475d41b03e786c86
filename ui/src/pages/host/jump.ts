// Finds the jump host of an ssh command. Jump hosts in ~/.ssh/config are not known here.

/** The jump host, as the command names it; "" if there is none, null if the command is not ssh. */
export function jump(command: readonly string[]): string | null {
  const [program = "", ...words] = command;
  if (program.split("/").at(-1) !== "ssh") {
    return null;
  }
  for (const [index, word] of words.entries()) {
    if (word === "--") {
      break;
    }
    const next = words[index + 1] ?? "";
    const option = word === "-o" ? next : word.startsWith("-o") ? word.slice(2) : "";
    const named = /^ProxyJump[= ]\s*(.+)$/i.exec(option);
    if (named?.[1] !== undefined) {
      return named[1] === "none" ? "" : named[1];
    }
    if (word === "-J") {
      return next;
    }
    if (word.startsWith("-J")) {
      return word.slice(2);
    }
  }
  return "";
}
