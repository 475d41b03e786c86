// Edits of a manifest, as the page sends them to the engine.
import type { EditReach } from "../types/EditReach";
import type { EditRequest } from "../types/EditRequest";
import type { Renaming } from "./timeline";

/** A copy of the edit that says how far a change of a shared value reaches. */
export function withReach(edit: EditRequest, reach: EditReach): EditRequest {
  return "reach" in edit ? { ...edit, reach } : edit;
}

/** The hosts that the edits rename, in order. */
export function renamingsOf(edits: readonly EditRequest[]): Renaming[] {
  return edits.flatMap((edit) => (edit.kind === "renameHost" ? [[edit.from, edit.to] as const] : []));
}

/** The renamings that undo these. */
export function reversed(renamings: readonly Renaming[]): Renaming[] {
  return renamings.map(([from, to]) => [to, from] as const).reverse();
}

/**
 * Whether an edit is right only in the text in which it was made: it names its position by a number, or it is about a group
 * whose last host it would remove.
 */
export function isCounted(edit: EditRequest): boolean {
  return edit.kind === "move" || ("at" in edit && edit.at !== null) || ("owner" in edit && (edit.owner.kind === "item" || edit.owner.kind === "groups"));
}

/** Whether the edits remove a whole host, route, rule, test or group. The page then offers to undo them. */
export function takeAway(edits: readonly EditRequest[]): boolean {
  return edits.some((edit) => edit.kind === "removeHost" || edit.kind === "remove" || (edit.kind === "clear" && edit.owner.kind === "groups"));
}
