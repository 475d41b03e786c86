// Splits ssh's arguments into the parts that people know: user, host, port, jump host. All other words stay as they
// are.

export type SshParts = { user: string; host: string; port: string; jump: string; options: string[] };

/** The options of OpenSSH that take an argument. */
const WITH_ARGUMENT = /^-[BbcDEeFIiJLlmOoPpQRSWw]$/;

/** The parts of ssh's arguments. The last argument is the destination; null if there is no destination. */
export function sshParts(words: readonly string[]): SshParts | null {
  const destination = words.at(-1);
  if (destination === undefined || destination === "" || destination.startsWith("-")) {
    return null;
  }
  const parts: SshParts = { user: "", host: destination, port: "", jump: "", options: [] };
  const at = destination.lastIndexOf("@");
  // An address of the form ssh://user@host:port stays whole.
  if (at > 0 && !destination.includes("://")) {
    parts.user = destination.slice(0, at);
    parts.host = destination.slice(at + 1);
  }
  for (let number = 0; number < words.length - 1; number += 1) {
    const word = words[number] as string;
    const argument = WITH_ARGUMENT.test(word) ? words[number + 1] : undefined;
    if (argument === undefined) {
      parts.options.push(word);
      continue;
    }
    if (number + 1 === words.length - 1) {
      // The last word belongs to this option, so the destination is missing.
      return null;
    }
    number += 1;
    if (word === "-p" && parts.port === "") {
      parts.port = argument;
    } else if (word === "-J" && parts.jump === "") {
      parts.jump = argument;
    } else {
      parts.options.push(word, argument);
    }
  }
  return parts;
}

/** Makes ssh's arguments from their parts. */
export function sshWords({ user, host, port, jump, options }: SshParts): string[] {
  return [
    ...(jump === "" ? [] : ["-J", jump]),
    ...(port === "" ? [] : ["-p", port]),
    ...options,
    user === "" ? host : `${user}@${host}`,
  ];
}
