// The policy in words: the cells of the matrix, and what the policy says about one host.
import { t } from "./strings";
import type { MatrixCell } from "./types/MatrixCell";
import type { MatrixTarget } from "./types/MatrixTarget";
import type { PlanPolicy } from "./types/PlanPolicy";

/** The cell in a word or two. */
export function cellWords(cell: MatrixCell): string {
  if (cell.reach !== "part") {
    return t.policy.cell[cell.reach];
  }
  const parts = [cell.ports ?? "", cell.some ? t.policy.some(cell.some) : ""];
  return parts.filter((part) => part !== "").join("; ");
}

export function targetWords(target: MatrixTarget): string {
  return target.via === undefined ? target.name : `${target.name} ${t.policy.via(target.via)}`;
}

/** The cell in a sentence. The sentence names the rules that refuse the rest of the target. */
export function cellSentence(from: string, target: MatrixTarget, cell: MatrixCell): string {
  const says = t.policy.says;
  const to = targetWords(target);
  switch (cell.reach) {
    case "own":
      return says.own(from);
    case "nothing":
      return says.nothing(to);
    case "all":
      return says.all(from, to);
    case "none":
    case "part": {
      const refused = cell.refusedBy ?? [];
      const numbers = refused.join(", ");
      const rest = refused.length === 0 ? says.byDefault : refused.length === 1 ? says.refused(numbers) : says.refusedByMany(numbers);
      const part = cell.ports ? says.part(from, to, cell.ports) : says.none(from, to);
      return part + (cell.some ? says.some(cell.some) : "") + rest;
    }
  }
}

export type Reached = { name: string; words: string };

function isReached(cell: MatrixCell): boolean {
  return cell.reach === "all" || cell.reach === "part";
}

/** The targets that a host may reach, except itself. */
export function reachedFrom(policy: PlanPolicy, host: string): Reached[] {
  const row = policy.rows.find((one) => one.from === host);
  return policy.targets.flatMap((target, index) => {
    const cell = row?.cells[index];
    return cell !== undefined && isReached(cell) ? [{ name: targetWords(target), words: cellWords(cell) }] : [];
  });
}

/** The hosts that may reach the ports of a host. */
export function reachedBy(policy: PlanPolicy, host: string): Reached[] {
  const index = policy.targets.findIndex((target) => target.via === undefined && target.name === host);
  return policy.rows.flatMap((row) => {
    const cell = row.cells[index];
    return cell !== undefined && isReached(cell) ? [{ name: row.from, words: cellWords(cell) }] : [];
  });
}
