// Finds the path to a host. The command names only its own jump hosts. OpenSSH also tells those of its configuration.

/** The path to a host. Hosts with the same key are reached in the same way. */
export type Path = { key: string } & ({ kind: "here" } | { kind: "direct" } | { kind: "via"; machines: string } | { kind: "program"; program: string });

/**
 * The path to the host that a command starts. `told` are the jump hosts that OpenSSH tells, with commas between them.
 * Without `told`, the path contains only what the command itself tells.
 */
export function pathOf(command: readonly string[], told?: string): Path {
  const program = command[0]?.split(/[\\/]/).at(-1);
  if (program === undefined || program === "") {
    return { key: "/here", kind: "here" };
  }
  const machines = told ?? jump(command);
  if (machines === null) {
    return { key: `/program ${program}`, kind: "program", program };
  }
  return machines === "" ? { key: "/direct", kind: "direct" } : { key: `/via ${machines}`, kind: "via", machines: machines.replaceAll(",", ", ") };
}

/** The machines without their domains, for places with little room. Addresses and ports are not shortened. */
export function shortly(machines: string): string {
  const short = (machine: string) => (/[\d\]]$/.test(machine) ? machine : (machine.split(".")[0] ?? machine));
  return machines.split(", ").map(short).join(", ");
}

/** The jump hosts that the command names; "" if there are none, and null if the command is not ssh. */
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
