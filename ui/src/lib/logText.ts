// The levels of the lines of the log, and the log as a text file. The manager sends a sentence with each line. It is
// the same sentence as in `norouter logs`.
import { t } from "./strings";
import type { HostState } from "./types/HostState";
import type { LogLine } from "./types/LogLine";

/** The levels, the least severe first. "output" is the standard error of the hosts' commands. */
export const LEVELS = ["output", "info", "warning", "error"] as const;
export type Level = (typeof LEVELS)[number];

/** A line. If it was repeated, `times` says how often it came, and `lastMs` when it came last. */
export type LogText = { kind: "line"; seq: number; timeMs: number; host: string | null; level: Level; text: string; times?: number; lastMs?: number };

/** An entry of the log page: a line, or a gap where lines are missing. */
export type LogEntry =
  | LogText
  /** A gap: `count` lines up to the number `seq` are missing. */
  | { kind: "gap"; seq: number; count: number };

const STATE_LEVELS: Record<HostState, Level> = {
  starting: "info",
  greeting: "info",
  configuring: "info",
  ready: "info",
  degraded: "warning",
  waiting: "warning",
  needsYou: "warning",
  refused: "error",
  stopped: "info",
};

export function levelOf(line: LogLine): Level {
  switch (line.type) {
    case "host":
      return STATE_LEVELS[line.state];
    case "stderr":
      return "output";
    case "refused":
    case "warning":
      return "warning";
    case "hopeless":
      return "error";
    case "held":
      return "warning";
    case "reloaded":
    case "step":
      return "info";
  }
}

/** The text of an exported file: one line per entry, with the date, the host and the level. */
export function asText(entries: readonly LogEntry[]): string {
  const lines = entries.map((entry) => {
    if (entry.kind === "gap") {
      return `-- ${t.log.gap(entry.count)} --`;
    }
    const moment = new Date(entry.timeMs).toISOString();
    const times = entry.times === undefined ? "" : ` (${t.log.repeated(entry.times)})`;
    return `${moment} ${entry.host ?? t.log.manager.toLowerCase()} ${t.log.levelWord[entry.level]} ${entry.text}${times}`;
  });
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}
