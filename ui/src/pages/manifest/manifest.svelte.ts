// The manifest as the page edits it. It outlives the page, since edits that are not saved must not get lost by a look
// at another one.
import { Checker } from "../../lib/manifest/checker";
import * as drafts from "../../lib/manifest/draft";
import type { Schema } from "../../lib/manifest/schema";
import { ipc } from "../../lib/ipc";
import { text } from "../../lib/report";
import { fileName } from "../../lib/format";
import { t } from "../../lib/strings";
import { toasts } from "../../lib/toasts.svelte";
import type { Checked } from "../../lib/types/Checked";
import type { ManifestText } from "../../lib/types/ManifestText";

class Manifest {
  draft = $state.raw<drafts.Draft | null>(null);
  /** Why there is no text. */
  problem = $state.raw<string | null>(null);
  checked = $state.raw<Checked | null>(null);
  /** Whether the answer is of the text as it is now. */
  fresh = $state.raw(false);
  checkProblem = $state.raw<string | null>(null);
  schema = $state.raw<Schema | null>(null);

  readonly edited = $derived(this.draft !== null && drafts.isEdited(this.draft));
  readonly canSave = $derived(this.draft !== null && drafts.canSave(this.draft));

  /** The last news of the file; each is taken once. */
  #heard: ManifestText | null = null;
  readonly #checker = new Checker<Checked>(
    (text) => ipc.manifestCheck(text),
    (checked) => {
      this.checked = checked;
      this.checkProblem = null;
      this.fresh = true;
    },
    (error) => (this.checkProblem = text(error)),
  );

  /** Reads the file, unless news of it are faster. */
  async load(): Promise<void> {
    const heard = this.#heard;
    try {
      const file = await ipc.manifestRead();
      if (heard === this.#heard) {
        this.#set(this.draft === null ? drafts.open(file) : drafts.disk(this.draft, file));
      }
      this.problem = null;
    } catch (error) {
      this.problem = text(error);
    }
    this.schema ??= await ipc.manifestSchema().catch(() => null);
  }

  hear(file: ManifestText | null): void {
    if (file !== null && file !== this.#heard) {
      this.#heard = file;
      this.#set(this.draft === null ? drafts.open(file) : drafts.disk(this.draft, file));
    }
  }

  edit(now: string): void {
    if (this.draft !== null) {
      this.#set(drafts.edit(this.draft, now));
    }
  }

  /** Checks again, since the network has changed and with it the effect of the text. */
  check(pauseMs?: number): void {
    if (this.draft !== null) {
      this.#checker.ask(this.draft.text, pauseMs);
    }
  }

  async save(): Promise<void> {
    if (this.draft === null || !drafts.canSave(this.draft)) {
      return;
    }
    this.draft = drafts.save(this.draft);
    try {
      const file = await ipc.manifestSave(this.draft.text, this.draft.base.hash);
      this.#set(drafts.saved(this.draft, file));
      toasts.done(t.manifest.saved(fileName(file.path)));
      this.check(0);
    } catch (error) {
      this.draft = drafts.notSaved(this.draft);
      toasts.error(t.manifest.notSaved, text(error));
      // Most likely somebody else was faster, and what they wrote is to be looked at first.
      await this.load();
    }
  }

  takeTheirs(): void {
    if (this.draft !== null) {
      this.#set(drafts.takeTheirs(this.draft));
    }
  }

  keepMine(): void {
    if (this.draft !== null) {
      this.#set(drafts.keepMine(this.draft));
    }
  }

  discard(): void {
    if (this.draft !== null) {
      this.#set(drafts.edit(this.draft, this.draft.base.text));
    }
  }

  #set(draft: drafts.Draft): void {
    const other = this.draft?.text !== draft.text;
    const first = this.draft?.base.path !== draft.base.path;
    this.draft = draft;
    if (other || first) {
      this.fresh = false;
      this.checked = first ? null : this.checked;
      this.#checker.ask(draft.text, first ? 0 : undefined);
    }
  }
}

export const model = new Manifest();
