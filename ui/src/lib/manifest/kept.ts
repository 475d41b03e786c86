// Keeps edits in the browser's storage until they are saved or discarded. Otherwise they would be lost when another
// file is opened, when the app is quit, or when the app destroys a window that was hidden for a long time.
import type { ManifestText } from "../types/ManifestText";
import { disk, type Draft, edit, isEdited, open } from "./draft";

const PREFIX = "norouter.draft ";

type Store = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Stores the edits of a draft. If the draft has no edits, removes the stored ones. */
export function keep(draft: Draft, store: Store): void {
  const key = PREFIX + draft.base.path;
  try {
    if (isEdited(draft)) {
      store.setItem(key, JSON.stringify([draft.base, draft.text]));
    } else {
      store.removeItem(key);
    }
  } catch {
    // If the storage is full, that must not prevent typing.
  }
}

/** The draft of a file that is being opened. It contains the stored edits of the file. */
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
