// The words of the policy page and of its parts on the host page.
import { plural } from "./plural";

export const policy = {
  title: "Policy",
  note: (rules: number, deny: boolean) =>
    `${plural(rules, "rule", "rules")}; ${deny ? "everything else is refused" : "everything else that is published or routed is allowed"}`,
  none: {
    title: "Everybody reaches everything",
    text: "The manifest says nothing about who may reach what, so that every host reaches all that is published and routed. Write “policy:” into it to say more.",
    edit: "Open the manifest",
  },
  stopped: { title: "No network runs", text: "Who may reach what is shown for the network that runs.", back: "Back to the network" },
  matrix: "Who may reach what",
  hint: "Arrow keys move from cell to cell",
  from: "From",
  via: (gateway: string) => `via ${gateway}`,
  cell: { own: "itself", all: "all", none: "no", nothing: "nothing there" },
  some: (ports: string) => `some at ${ports}`,
  says: {
    own: (from: string) => `${from} reaches this by itself.`,
    nothing: (to: string) => `${to} publishes nothing.`,
    all: (from: string, to: string) => `${from} may reach all of ${to}.`,
    none: (from: string, to: string) => `${from} may reach nothing of ${to}`,
    part: (from: string, to: string, ports: string) => `${from} may reach ${ports} of ${to}`,
    some: (ports: string) => `; at ${ports} only some names or addresses`,
    refused: (rule: string) => `: rule ${rule} refuses the rest.`,
    refusedByMany: (rules: string) => `: rules ${rules} refuse the rest.`,
    byDefault: ": the rest is refused by default.",
  },
  rules: {
    title: "Rules",
    first: "The first rule that fits a connection decides.",
    none: "There is no rule.",
    number: "Rule",
    from: "From",
    to: "To",
    ports: "Ports",
    action: "Action",
    everybody: "everybody",
    everything: "everything",
    all: "all",
    line: (line: number) => `line ${line}`,
    words: { allow: "allow", deny: "deny" },
  },
  access: {
    title: "Access",
    may: "May reach",
    by: "May be reached by",
    nothing: "nothing",
    nobody: "nobody",
    whole: "See the whole policy",
  },
};
