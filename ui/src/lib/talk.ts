// A talk with the command of one host: its question, the person's answer, and the outcome of the answer. The functions
// are pure. The answer itself is never stored here, because it may be a secret.
import type { HostView } from "./types/HostView";
import type { PromptView } from "./types/PromptView";

/**
 * - `asking`: the host waits for the answer to `prompt`.
 * - `sent`: the answer was sent, and it is not known yet what became of it.
 * - `over`: `prompt` is not open any more, and no answer to it is sent.
 */
export type Step = "asking" | "sent" | "over";

/**
 * - `refused`: the same question came back after an answer.
 * - `again`: the same question came back after the connection was lost.
 * - `more`: another question followed an answer.
 * - `accepted`: the command continued after the answer.
 * - `gone`: the question is not open any more, for a reason that is not known yet.
 * - `elsewhere`: the command continued, although nothing was answered here.
 * - `lost`: the connection was lost, and the host will be tried again.
 * - `failed`: the host was stopped, or cannot join the network unless something changes.
 * - `another`: the host has another question, which the person has not seen yet.
 * - `ended`: the network does not run any more, or no longer has this host.
 */
export type Note = "refused" | "again" | "more" | "accepted" | "gone" | "elsewhere" | "lost" | "failed" | "another" | "ended";

export type Talk = {
  host: string;
  prompt: PromptView;
  step: Step;
  note: Note | null;
  /** How many answers to this question were not accepted. */
  refusals: number;
  /** Whether the connection was lost after the answer was sent. */
  broken: boolean;
  /** Another question of the host. It waits until the person wants to see it. */
  next: PromptView | null;
};

/** The beginning of a talk. */
export function begin(host: string, prompt: PromptView): Talk {
  return { host, prompt, step: "asking", note: null, refusals: 0, broken: false, next: null };
}

export function sent(talk: Talk): Talk {
  return { ...talk, step: "sent", note: null, broken: false, next: null };
}

/** Notes that the answer could not be sent. The question is open again. */
export function notSent(talk: Talk): Talk {
  return talk.step === "sent" ? { ...talk, step: "asking" } : talk;
}

/**
 * The talk after news of its host. If nothing was typed (`isEmpty`), another question of the host may replace the shown
 * one without a click. Otherwise, the beginning of a secret could become the answer to a question that nobody has read.
 */
export function follow(talk: Talk, host: HostView | undefined, isEmpty: boolean): Talk {
  if (host === undefined) {
    return changed(talk, { step: "over", note: "ended", next: null });
  }
  if (talk.step !== "over" && host.prompts.some((prompt) => prompt.id === talk.prompt.id)) {
    return talk;
  }
  const others = host.prompts.filter((prompt) => prompt.id !== talk.prompt.id);
  const same = others.find((prompt) => prompt.kind === talk.prompt.kind && prompt.text === talk.prompt.text);
  if (same !== undefined) {
    const isRefusal = talk.step === "sent" && !talk.broken;
    return { ...begin(talk.host, same), note: isRefusal ? "refused" : "again", refusals: talk.refusals + (isRefusal ? 1 : 0) };
  }
  const other = others[0];
  if (other !== undefined) {
    return talk.step === "sent" && isEmpty
      ? { ...begin(talk.host, other), note: "more" }
      : changed(talk, { step: "over", note: "another", next: other });
  }
  return changed(talk, { ...become(talk, host), next: null });
}

/** Derives the next step of the talk from the state of its host, if the host has no question. */
function become(talk: Talk, host: HostView): Pick<Talk, "step" | "note" | "broken"> {
  const { broken } = talk;
  switch (host.state) {
    case "ready":
    case "degraded":
    case "configuring":
      return { step: "over", note: talk.step === "sent" || talk.note === "accepted" ? "accepted" : "elsewhere", broken };
    case "waiting":
      return { step: talk.step === "sent" ? "sent" : "over", note: "lost", broken: true };
    case "refused":
    case "stopped":
      return { step: "over", note: "failed", broken };
    default:
      return talk.step === "asking" ? { step: "over", note: "gone", broken } : { step: talk.step, note: talk.note, broken };
  }
}

function changed(talk: Talk, change: Partial<Talk>): Talk {
  const keys = Object.keys(change) as (keyof Talk)[];
  return keys.every((key) => talk[key] === change[key]) ? talk : { ...talk, ...change };
}
