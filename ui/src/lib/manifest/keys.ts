// The keys of the manifest page: the view, undo and redo, and saving. They work in every view.
import { hasMod, inField } from "../keys";
import { applying } from "./applying.svelte";
import { manifestModel } from "./manifest.svelte";
import { VIEWS, views } from "./views.svelte";

export function manifestKeys(event: KeyboardEvent): void {
  if (!event.defaultPrevented && document.querySelector("dialog[open]") === null && run(event)) {
    event.preventDefault();
  }
}

/** Performs the action of a key. Returns whether the key has one. */
function run(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase();
  if (hasMod(event)) {
    if (key === "s" && !event.shiftKey) {
      void applying.save();
      return true;
    }
    if ((key === "z" || key === "y") && !ownsUndo(event.target)) {
      const isRedo = key === "y" || event.shiftKey;
      void (isRedo ? manifestModel.redo() : manifestModel.undo());
      return true;
    }
    return false;
  }
  const view = VIEWS[Number(key) - 1];
  if (view !== undefined && !event.ctrlKey && !event.metaKey && (event.altKey || !inField(event.target))) {
    views.show(view);
    return true;
  }
  return false;
}

/**
 * Whether the browser undoes typing in this element. In a field of a form, it does so only until the value is in the
 * manifest: the field then has the attribute `data-taken`.
 */
function ownsUndo(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input:not([type='checkbox'], [type='radio'], [data-taken]), textarea:not([data-taken]), [contenteditable='true']") !== null;
}
