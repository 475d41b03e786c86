// The sentence that a manager adds to a line of its log, for the simulated events. The real sentences are made in
// `agent/view/sentence.rs`.
import { countdown } from "../lib/format";
import { t } from "../lib/strings";
import type { Event } from "../lib/types/Event";

export function sentence(event: Event): string {
  switch (event.type) {
    case "host": {
      const word = t.states.word[event.state];
      const { reason, retry } = event;
      const next = retry === undefined ? [] : [`retrying in ${countdown(retry.pauseMs)} (attempt ${retry.attempt})`];
      return told(event.state === "needsYou" || event.state === "refused" ? word : `is ${word}`, [...(reason === undefined ? [] : [reason]), ...next]);
    }
    case "stderr":
      return event.line;
    case "refused":
    case "warning":
      return event.text;
    case "reloaded": {
      const all = [...event.changes, ...event.grants.map((grant) => `new: ${grant}`)];
      return all.length === 0 ? "the manifest was read again; nothing has changed" : told("the manifest was read again", all);
    }
    case "held":
      return told("the manifest has changed, and the whole change waits for your approval, because of what it grants", event.grants);
    case "hopeless":
      return event.hosts === 1 ? "the only host cannot run as it is" : `none of the ${event.hosts} hosts can run as it is`;
  }
}

function told(what: string, details: string[]): string {
  return details.length === 0 ? what : `${what}: ${details.join("; ")}`;
}
