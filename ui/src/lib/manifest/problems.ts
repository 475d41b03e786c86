// The problems of a text: as ranges in the text, and all together.
import type { Problem } from "../types/Problem";

/** The range of a problem, as offsets. It has at least one character if the line has one. */
export function stretch(problem: Problem, text: string): { from: number; to: number } {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) {
    starts.push(at + 1);
  }
  const offset = (line: number, column: number) => {
    const row = Math.max(1, Math.min(line, starts.length));
    const start = starts[row - 1] ?? 0;
    const end = row < starts.length ? (starts[row] ?? 0) - 1 : text.length;
    return Math.min(start + Math.max(0, column - 1), end);
  };
  const from = offset(problem.line, problem.column);
  const to = Math.max(from, offset(problem.endLine, problem.endColumn));
  if (to > from) {
    return { from, to };
  }
  // An empty range would be invisible. Therefore the character after it is added, or, at the end of a line, the
  // character before it.
  const next = text[from];
  return next !== undefined && next !== "\n" ? { from, to: from + 1 } : { from: Math.max(from - 1, 0), to: from };
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.severity === "error");
}

/**
 * Whether the report contains the message of every error. If so, the person already sees these errors in the editor.
 */
export function tells(report: string, problems: readonly Problem[]): boolean {
  const errors = problems.filter((problem) => problem.severity === "error");
  return errors.length > 0 && errors.every((problem) => report.includes(problem.message));
}
