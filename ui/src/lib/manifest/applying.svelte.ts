// Saving the manifest. A change that will need approval, or that interrupts something, is shown as text and as effect
// before it is saved. Nothing is approved there: the app asks after the save.
import { truth } from "../store.svelte";
import type { Checked } from "../types/Checked";
import { manifestModel } from "./manifest.svelte";

/**
 * Whether a change should be shown before it is saved: it needs approval, ends connections or hosts, or could not be
 * checked.
 */
export function needsReview(checked: Checked | null): boolean {
  if (checked === null) {
    return true;
  }
  const { effect } = checked;
  return effect !== null && (effect.commands.length > 0 || effect.grants.length > 0 || effect.drops > 0 || effect.lines.some((line) => line.kind === "remove"));
}

class Applying {
  /** Whether the changes are shown before they are saved. */
  reviewing = $state.raw(false);
  #saving = false;

  /** Whether a save changes a running network. */
  readonly isRunning = $derived(truth.app?.network?.phase === "running" && truth.app.network.manifest === manifestModel.draft?.base.path);
  /** Whether the app itself runs that network. */
  readonly isHosted = $derived(this.isRunning && truth.app?.network?.hosted === true);

  /** Saves the changes. If they should be seen first, shows them instead. Does nothing while it is already at work. */
  async save(): Promise<void> {
    if (this.#saving) {
      return;
    }
    this.#saving = true;
    try {
      await this.#save();
    } finally {
      this.#saving = false;
    }
  }

  async #save(): Promise<void> {
    await manifestModel.settled();
    const { draft } = manifestModel;
    if (draft === null || !manifestModel.canSave) {
      return;
    }
    if (!this.isRunning) {
      await manifestModel.save(draft.text);
      return;
    }
    // The network may have changed since the last check, so the text is always checked again.
    const seen = await manifestModel.checkedNow();
    if (seen === null || !manifestModel.canSave) {
      return;
    }
    if (needsReview(seen.checked)) {
      this.reviewing = true;
    } else {
      await manifestModel.save(seen.text);
    }
  }

  /** Shows the changes. They are checked again, because the network may have changed since the last check. */
  review(): void {
    manifestModel.check(0);
    this.reviewing = true;
  }

  close(): void {
    this.reviewing = false;
  }

  /** Saves the text that is shown. */
  async apply(text: string): Promise<void> {
    this.reviewing = false;
    await manifestModel.save(text);
  }
}

export const applying = new Applying();
