// A draft knows the text in the editor and the file on disk, and which of them is newer. A file that has changed is never
// overwritten before the person has seen its new text.
import type { ManifestText } from "../types/ManifestText";

export type Draft = {
  /** The file as the text in the editor was made from it. */
  base: ManifestText;
  text: string;
  /** The file as it is now, if it changed while the editor had edits of its own. */
  theirs: ManifestText | null;
  /** The text that is being saved, until the answer is there. */
  saving: string | null;
};

export function open(file: ManifestText): Draft {
  return { base: file, text: file.text, theirs: null, saving: null };
}

/** Whether the editor has edits of its own. */
export function isEdited(draft: Draft): boolean {
  return draft.text !== draft.base.text;
}

export function canSave(draft: Draft): boolean {
  return draft.base.editable && isEdited(draft) && draft.theirs === null && draft.saving === null;
}

export function edit(draft: Draft, text: string): Draft {
  return text === draft.text ? draft : { ...draft, text };
}

/** Takes in the file as it is on disk now. It is the draft's own file. */
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

/** Takes in the file after a save. Text that was typed meanwhile stays. */
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

/** Keeps the person's edits. A save replaces the text on disk that was compared, but no later one. */
export function keepMine(draft: Draft): Draft {
  return draft.theirs === null ? draft : { ...draft, base: draft.theirs, theirs: null };
}
