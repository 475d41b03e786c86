// Finds the path to a host in its command. Jump hosts in ~/.ssh/config are not known here.

/** The path to a host. Hosts with the same key are reached in the same way. */
export type Path = { key: string } & ({ kind: "here" } | { kind: "direct" } | { kind: "via"; machine: string } | { kind: "program"; program: string });

/** The path to the host that a command starts, as far as the command tells it. */
export function pathOf(command: readonly string[]): Path {
  const program = command[0]?.split(/[\\/]/).at(-1);
  if (program === undefined || program === "") {
    return { key: "/here", kind: "here" };
  }
  const machine = jump(command);
  if (machine === null) {
    return { key: `/program ${program}`, kind: "program", program };
  }
  return machine === "" ? { key: "/direct", kind: "direct" } : { key: `/via ${machine}`, kind: "via", machine };
}

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
