// Finds the command line that removes a known cause of a loss. People can run it in a terminal.
import { shellLine } from "./format";
import type { Trouble } from "./types/Trouble";

const ENGINES = ["docker", "podman", "nerdctl"];
/** The options of `exec` that are followed by a value. */
const VALUED = ["-e", "--env", "--env-file", "-u", "--user", "-w", "--workdir", "--detach-keys"];

/** The command line to run against the cause of a trouble; `null` if no single command is certain to be right. */
export function cure({ cause }: Trouble, command: readonly string[]): string | null {
  const program = command[0]?.split(/[\\/]/).at(-1) ?? "";
  if (cause === "login" && program === "ssh") {
    return "ssh-add";
  }
  if (cause === "noContainer" && ENGINES.includes(program) && command[1] === "exec") {
    const name = containerOf(command.slice(2));
    return name === null ? null : shellLine([program, "start", name]);
  }
  return null;
}

/** The container that the words after `exec` name. */
function containerOf(words: readonly string[]): string | null {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] as string;
    if (!word.startsWith("-")) {
      return word;
    }
    if (VALUED.includes(word)) {
      at += 1;
    }
  }
  return null;
}
