// Edits that are not saved, kept until they are saved or given up: a window that is hidden for long is given up with its
// page, another file may be opened, and the app may be quit. None of these may cost somebody's work.
import type { ManifestText } from "../types/ManifestText";
import { disk, type Draft, edit, isEdited, open } from "./draft";

const PREFIX = "norouter.draft ";

/** What is needed of the browser's storage. */
type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Keeps the edits of a draft, or forgets them where it has none. */
export function keep(draft: Draft, store: Store): void {
  const key = PREFIX + draft.base.path;
  try {
    if (isEdited(draft)) {
      store.setItem(key, JSON.stringify([draft.base, draft.text]));
    } else {
      store.removeItem(key);
    }
  } catch {
    // A full storage is no reason to stop somebody from typing.
  }
}

/** The draft of a file that is opened, with the edits that were kept of it. */
export function reopen(file: ManifestText, store: Store): Draft {
  const kept = read(store.getItem(PREFIX + file.path));
  return kept === null || kept.base.path !== file.path ? open(file) : disk(edit(open(kept.base), kept.text), file);
}

function read(json: string | null): { base: ManifestText; text: string } | null {
  try {
    const [base, text] = JSON.parse(json ?? "null") as [ManifestText, string];
    return typeof base.text === "string" && typeof base.hash === "string" && typeof text === "string" ? { base, text } : null;
  } catch {
    return null;
  }
}
