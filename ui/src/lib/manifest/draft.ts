// A draft is the text in the editor, together with the content of the file from which it was made. If the file has
// changed, it is never overwritten before the person has seen the new text of the file.
import type { ManifestText } from "../types/ManifestText";

export type Draft = {
  /** The content of the file from which the text in the editor was made. */
  base: ManifestText;
  text: string;
  /** The present content of the file, if it has changed while the editor had unsaved edits; otherwise `null`. */
  theirs: ManifestText | null;
  /** The text that is being saved; `null` if no text is being saved, or if the app has answered. */
  saving: string | null;
};

export function open(file: ManifestText): Draft {
  return { base: file, text: file.text, theirs: null, saving: null };
}

/** Whether the editor has unsaved edits. */
export function isEdited(draft: Draft): boolean {
  return draft.text !== draft.base.text;
}

export function canSave(draft: Draft): boolean {
  return draft.base.editable && isEdited(draft) && draft.theirs === null && draft.saving === null;
}

export function edit(draft: Draft, text: string): Draft {
  return text === draft.text ? draft : { ...draft, text };
}

/** Updates the draft with the present content of its file. */
export function disk(draft: Draft, file: ManifestText): Draft {
  if (file.hash === draft.base.hash) {
    return draft.theirs === null && file.editable === draft.base.editable ? draft : { ...draft, base: file, theirs: null };
  }
  // When this editor saves, the new content comes back as news of the file. The news may arrive before the answer to
  // the save.
  if (file.text === draft.text || file.text === draft.saving) {
    return { ...draft, base: file, theirs: null };
  }
  if (!isEdited(draft)) {
    return { ...draft, base: file, text: file.text, theirs: null };
  }
  return { ...draft, theirs: file };
}

export function save(draft: Draft): Draft {
  return { ...draft, saving: draft.text };
}

/** Updates the draft after a save. Text that was typed in the meantime is kept. */
export function saved(draft: Draft, file: ManifestText): Draft {
  const theirs = draft.theirs !== null && draft.theirs.hash !== file.hash ? draft.theirs : null;
  return { ...draft, base: file, theirs, saving: null };
}

export function notSaved(draft: Draft): Draft {
  return { ...draft, saving: null };
}

/** Replaces the person's edits with the text on disk. */
export function takeTheirs(draft: Draft): Draft {
  return draft.theirs === null ? draft : open(draft.theirs);
}

/**
 * Keeps the person's edits. A save then replaces the content with which they were compared, but not a later content of
 * the file.
 */
export function keepMine(draft: Draft): Draft {
  return draft.theirs === null ? draft : { ...draft, base: draft.theirs, theirs: null };
}

/** Takes a text that has the edits of both sides. A save then replaces the content that was merged. */
export function merged(draft: Draft, text: string): Draft {
  return draft.theirs === null ? draft : { ...draft, base: draft.theirs, theirs: null, text };
}
