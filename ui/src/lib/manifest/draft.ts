// A draft consists of the text in the editor and the file on disk from which it was made. A file that has changed is
// never overwritten before the person has seen its new text.
import type { ManifestText } from "../types/ManifestText";

export type Draft = {
  /** The content of the file from which the text in the editor was made. */
  base: ManifestText;
  text: string;
  /** The present content of the file, if it has changed while the editor had unsaved edits; otherwise `null`. */
  theirs: ManifestText | null;
  /** The text that is being saved, until the app has answered; otherwise `null`. */
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
  // A save of this editor comes back as news of the file, perhaps before the answer to the save.
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

/** Updates the draft after a save. Text that was typed in the meantime stays. */
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
 * Keeps the person's edits. A save then replaces the content that was compared, but not a later content of the file.
 */
export function keepMine(draft: Draft): Draft {
  return draft.theirs === null ? draft : { ...draft, base: draft.theirs, theirs: null };
}
