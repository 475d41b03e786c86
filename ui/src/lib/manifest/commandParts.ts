// Splits commands into the parts that people know: the host of ssh and the user there, the container of docker, the
// namespace of kubectl. All other words stay as they are, in their order.
import { sshParts, type SshParts, sshWords } from "./sshParts";

export const PARTS = ["user", "host", "port", "jump", "context", "namespace", "pod", "container", "options"] as const;
export type PartName = (typeof PARTS)[number];

export type CommandParts = {
  /** The parts, in the order in which they are shown, without the options. */
  parts: { name: PartName; value: string }[];
  /** The words that belong to none of these parts. */
  options: string[];
  /** The words of the command, with another value for one part. */
  withPart: (name: Exclude<PartName, "options">, value: string) => string[];
  withOptions: (options: string[]) => string[];
};

/** The parts of a command; null if the page does not know the program, or cannot tell the parts apart. */
export function commandParts(words: readonly string[]): CommandParts | null {
  const [program = "", ...rest] = words;
  const name = program.slice(program.lastIndexOf("/") + 1);
  if (name === "ssh") {
    const end = rest.indexOf("--");
    return end < 0 ? null : sshCommand(rest.slice(0, end), (all) => [program, ...all, ...rest.slice(end)]);
  }
  if (name === "docker" || name === "podman" || name === "nerdctl") {
    return containerCommand(program, rest);
  }
  return name === "kubectl" || name === "oc" ? podCommand(program, rest) : null;
}

/** The parts of ssh's arguments. The last argument is the destination. */
export function sshCommand(words: readonly string[], whole: (words: string[]) => string[] = (all) => all): CommandParts | null {
  const found = sshParts(words);
  if (found === null) {
    return null;
  }
  const made = (change: Partial<SshParts>) => whole(sshWords({ ...found, ...change }));
  return {
    parts: (["user", "host", "port", "jump"] as const).map((name) => ({ name, value: found[name] })),
    options: found.options,
    withPart: (name, value) => made({ [name]: value }),
    withOptions: (options) => made({ options }),
  };
}

/** The parts of `docker exec -i NAME ...`; null if an option has its argument in the next word. */
function containerCommand(program: string, rest: readonly string[]): CommandParts | null {
  const [verb, ...behind] = rest;
  const at = behind.findIndex((word) => !word.startsWith("-"));
  const options = behind.slice(0, at);
  // If an option such as -u has its argument in the next word, that word would be taken for the container.
  if (verb !== "exec" || at < 0 || options.some((word) => /^(-[^-]*[euw]|--(env|user|workdir|env-file|detach-keys))$/.test(word))) {
    return null;
  }
  const tail = behind.slice(at + 1);
  const container = behind[at] ?? "";
  return {
    parts: [{ name: "container", value: container }],
    options,
    withPart: (_, value) => [program, "exec", ...options, value, ...tail],
    withOptions: (changed) => [program, "exec", ...changed, container, ...tail],
  };
}

const POD_FLAGS = { context: ["--context"], namespace: ["--namespace", "-n"], container: ["--container", "-c"] } as const;

/** The parts of `kubectl --context=... exec -i POD -c ... -- ...`. */
function podCommand(program: string, rest: readonly string[]): CommandParts | null {
  const end = rest.indexOf("--");
  const found: Record<keyof typeof POD_FLAGS, string> = { context: "", namespace: "", container: "" };
  const options: string[] = [];
  const plain: string[] = [];
  for (let at = 0; at < end; at += 1) {
    const word = rest[at] as string;
    const flag = (Object.keys(POD_FLAGS) as (keyof typeof POD_FLAGS)[]).find((key) => POD_FLAGS[key].some((name) => word === name || word.startsWith(`${name}=`)));
    if (flag !== undefined && word.includes("=")) {
      found[flag] = word.slice(word.indexOf("=") + 1);
    } else if (flag !== undefined) {
      at += 1;
      found[flag] = rest[at] ?? "";
    } else if (word.startsWith("-")) {
      options.push(word);
    } else {
      plain.push(word);
    }
  }
  const [verb, pod] = plain;
  // Further words may be arguments of options that this page does not know.
  if (end < 0 || verb !== "exec" || pod === undefined || plain.length !== 2) {
    return null;
  }
  const made = (now: typeof found, target: string, others: string[]) => [
    program,
    ...(now.context === "" ? [] : [`--context=${now.context}`]),
    ...(now.namespace === "" ? [] : [`--namespace=${now.namespace}`]),
    "exec",
    ...others,
    target,
    ...(now.container === "" ? [] : [`--container=${now.container}`]),
    ...rest.slice(end),
  ];
  return {
    parts: [
      { name: "context", value: found.context },
      { name: "namespace", value: found.namespace },
      { name: "pod", value: pod },
      { name: "container", value: found.container },
    ],
    options,
    withPart: (name, value) => (name === "pod" ? made(found, value, options) : made({ ...found, [name]: value }, pod, options)),
    withOptions: (changed) => made(found, pod, changed),
  };
}
