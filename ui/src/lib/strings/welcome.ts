// The words of the first page and of the consent page.
import { plural } from "./plural";

export const welcome = {
  title: "Open a network",
  first: "One file, one network",
  lead: "A manifest names your hosts and the command that reaches each of them. NoRouter turns them into one network, without root and without an account.",
  open: "Open a manifest",
  openHint: "or drop the file on this window",
  example: "Write an example",
  exampleHint: "A commented file to begin with",
  demo: "Try the demo network",
  demoHint: "Four hosts on this machine; nothing else is touched",
  recent: { title: "Recent", none: "Manifests that you open are listed here.", missing: "The file is gone", forget: (name: string) => `Forget ${name}` },
  running: { title: "Running now", attach: "Attach", hint: "Started by another program of yours" },
  checks: {
    title: "This machine",
    again: "Check again",
    ok: "found",
    missing: "not found",
    unknown: "not known",
    failed: "The checks could not run",
  },
  imports: {
    title: "Found on this machine",
    text: "Choose the hosts that shall be in a new manifest.",
    none: "No ssh hosts, containers or pods were found.",
    create: (n: number) => (n === 0 ? "Write a manifest" : `Write a manifest with ${plural(n, "host", "hosts")}`),
    kinds: { ssh: "ssh", container: "container", pod: "pod" },
    failed: "Could not look for hosts",
  },
  consent: {
    title: (file: string) => `Before ${file} runs`,
    text: "A manifest runs commands on this machine. These are the exact words of each of them; nothing has run yet.",
    textAlone: "A manifest lets things happen to this machine. This is all of it; nothing of it is in force yet.",
    again: "This manifest has changed since you agreed to it.",
    changeTitle: (file: string) => `${file} has changed`,
    held: "The change grants more than you have agreed to. The network goes on as it was; nothing of the change is in force.",
    grants: "Besides these commands",
    grantsAlone: "What it grants",
    doubts: "What other users of this machine could change",
    change: { new: "new", changed: "changed", same: "as before" },
    before: "Before",
    after: "Now",
    inside: "runs inside the manager, no command",
    agree: "Agree and start",
    refuse: "Refuse",
    takeUp: "Agree and apply",
    later: "Not now",
    remembered: "Your agreement holds until the manifest grants more. It covers the words of commands, not what is in the files that they name.",
    showSame: (n: number) => `Show ${plural(n, "command", "commands")} that you agreed to before`,
    summary: (fresh: number, changed: number, grants: number) =>
      [
        fresh > 0 ? plural(fresh, "new command", "new commands") : "",
        changed > 0 ? plural(changed, "changed command", "changed commands") : "",
        grants > 0 ? plural(grants, "other new grant", "other new grants") : "",
      ]
        .filter((part) => part !== "")
        .join(", "),
    changed: "The file has changed while you were looking. Nothing of it is in force before you have seen it again.",
    look: "Show what it is now",
    failed: "Your answer did not arrive",
  },
};
