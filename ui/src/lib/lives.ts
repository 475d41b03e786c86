// The history of a host: its lines in the log, grouped by the lives of its command.
import type { HostState } from "./types/HostState";
import type { LogLine } from "./types/LogLine";

export type LifeEntry = { seq: number; timeMs: number; state: HostState | null; text: string | null; pauseMs: number | null };
/** A life is the time from one start of the command to the next one. */
export type Life = { entries: LifeEntry[]; stderr: string[] };

/** How many lines of a life are shown. The last lines are shown, because they say why the life ended. */
const KEPT = 5;

/** The lives of a host, the newest first, and at most `most` of them. */
export function lives(lines: LogLine[], host: string, most: number): Life[] {
  const found: Life[] = [];
  let life: Life | null = null;
  for (const line of lines) {
    if (!("host" in line) || line.host !== host) {
      continue;
    }
    if (life === null || (line.type === "host" && begins(line.state, life))) {
      life = { entries: [], stderr: [] };
      found.push(life);
    }
    if (line.type === "stderr") {
      life.stderr = [...life.stderr.slice(1 - KEPT), line.line];
    } else if (line.type === "warning") {
      life.entries.push({ seq: line.seq, timeMs: line.timeMs, state: null, text: line.text, pauseMs: null });
    } else if (line.type === "step") {
      life.entries.push({ seq: line.seq, timeMs: line.timeMs, state: null, text: line.sentence, pauseMs: null });
    } else if (line.type === "host") {
      const { seq, timeMs, state } = line;
      life.entries.push({ seq, timeMs, state, text: line.reason ?? null, pauseMs: line.retry?.pauseMs ?? null });
    }
  }
  return found.slice(-most).reverse();
}

/** Whether a new life begins when a host changes to this state. */
function begins(state: HostState, life: Life): boolean {
  const last = life.entries.findLast((entry) => entry.state !== null)?.state;
  switch (state) {
    case "starting":
      return life.stderr.length > 0 || life.entries.some((entry) => entry.state !== "starting");
    // If the command has asked a question, this is still the life in which it asked.
    case "greeting":
      return last !== "starting" && last !== "needsYou";
    default:
      return false;
  }
}

/** Joins two parts of the log. Where the newer part begins, the lines of the older part are left out. */
export function joined(older: LogLine[], newer: LogLine[]): LogLine[] {
  const first = newer[0]?.seq ?? Number.POSITIVE_INFINITY;
  return [...older.filter((line) => line.seq < first), ...newer];
}
