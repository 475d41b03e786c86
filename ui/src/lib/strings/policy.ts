// The words of the policy page and of its parts on the host page.
import { plural } from "./plural";

export const policy = {
  title: "Policy",
  note: (rules: number, deny: boolean) =>
    `${plural(rules, "rule", "rules")}; ${deny ? "everything else is denied" : "everything else that is published or routed is allowed"}`,
  none: {
    title: "No restrictions",
    text: "Every host can reach everything that is published or routed. Add “policy:” to the manifest to restrict this.",
    edit: "Edit the manifest",
  },
  stopped: { title: "No network is running", text: "Start a network to see who can reach what.", back: "Back to the network" },
  matrix: "Who can reach what",
  hint: "Use the arrow keys to move between cells",
  from: "From",
  via: (gateway: string) => `via ${gateway}`,
  cell: { own: "itself", all: "all", none: "no", nothing: "no ports" },
  some: (ports: string) => `partly, at ${ports}`,
  says: {
    own: (from: string) => `${from} reaches this directly.`,
    nothing: (to: string) => `${to} publishes nothing.`,
    all: (from: string, to: string) => `${from} can reach everything on ${to}.`,
    none: (from: string, to: string) => `${from} cannot reach ${to}`,
    part: (from: string, to: string, ports: string) => `${from} can reach ${ports} on ${to}`,
    some: (ports: string) => `; at ${ports} only some names or addresses`,
    refused: (rule: string) => `: rule ${rule} denies the rest.`,
    refusedByMany: (rules: string) => `: rules ${rules} deny the rest.`,
    byDefault: ": the rest is denied by default.",
  },
  rules: {
    title: "Rules",
    first: "The first rule that matches a connection decides.",
    none: "No rules",
    number: "Rule",
    from: "From",
    to: "To",
    ports: "Ports",
    action: "Action",
    everybody: "all hosts",
    everything: "everything",
    all: "all",
    line: (line: number) => `line ${line}`,
    words: { allow: "allow", deny: "deny" },
  },
  access: {
    title: "Access",
    may: "Can reach",
    by: "Reachable by",
    nothing: "nothing",
    nobody: "nobody",
    whole: "Open the policy",
  },
};
