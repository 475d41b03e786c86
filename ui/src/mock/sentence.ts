// The sentence that a manager adds to each line of its log, for simulated events. The real sentences are made in
// `agent/view/sentence.rs`.
import { bytes, countdown, micros } from "../lib/format";
import { t } from "../lib/strings";
import type { Event } from "../lib/types/Event";
import type { InstallStep } from "../lib/types/InstallStep";

export function sentence(event: Event): string {
  switch (event.type) {
    case "host": {
      const word = t.states.word[event.state];
      const { reason, retry } = event;
      const next = retry === undefined ? [] : [`attempt ${retry.attempt} in ${countdown(retry.pauseMs)}`];
      return told(event.state === "needsYou" || event.state === "refused" ? word : `is ${word}`, [...(reason === undefined ? [] : [reason]), ...next]);
    }
    case "stderr":
      return event.line;
    case "refused":
    case "warning":
      return event.text;
    case "reloaded": {
      const all = [...event.changes, ...event.grants.map((grant) => `new: ${grant}`)];
      return all.length === 0 ? "the manifest was reloaded; nothing has changed" : told("the manifest was reloaded", all);
    }
    case "step":
      return done(event.step, micros(event.tookMs * 1000), bytes(event.bytes));
    case "held":
      return told("the manifest has changed, and the whole change waits for your approval, because of what it grants", event.grants);
    case "hopeless":
      return event.hosts === 1 ? "the only host cannot start with these settings" : `none of the ${event.hosts} hosts can start with these settings`;
  }
}

/** The sentence that says that a step on the way to an agent is over. */
function done(step: InstallStep, took: string, amount: string): string {
  switch (step) {
    case "connect":
      return `has a shell, which answered in ${took}`;
    case "upload":
      return `was sent an agent, ${amount} in ${took}`;
    case "verify":
      return `has checked the agent in ${took}`;
    case "start":
      return `has started the agent in ${took}`;
  }
}

function told(what: string, details: string[]): string {
  return details.length === 0 ? what : `${what}: ${details.join("; ")}`;
}
