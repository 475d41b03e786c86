// The manifest as the person edits it. It is kept while other pages are open, so that unsaved edits are not lost. It is
// in `lib`, since the shell reads its problems, too.
import { fileName } from "../format";
import { ipc } from "../ipc";
import { text } from "../report";
import { t } from "../strings";
import { toasts } from "../toasts.svelte";
import type { Checked } from "../types/Checked";
import type { ManifestText } from "../types/ManifestText";
import { Checker } from "./checker";
import * as drafts from "./draft";
import { history, remember } from "./history";
import { keep, reopen } from "./kept";
import type { Schema } from "./schema";

class ManifestModel {
  draft = $state.raw<drafts.Draft | null>(null);
  /** The reason why the file could not be read; `null` if it could. */
  problem = $state.raw<string | null>(null);
  checked = $state.raw<Checked | null>(null);
  /** Whether `checked` is about the text as it is now. */
  fresh = $state.raw(false);
  checkProblem = $state.raw<string | null>(null);
  schema = $state.raw<Schema | null>(null);

  readonly edited = $derived(this.draft !== null && drafts.isEdited(this.draft));
  readonly canSave = $derived(this.draft !== null && drafts.canSave(this.draft));

  /** The texts of the file that were replaced, the last one first. */
  readonly replaced = $derived(this.draft === null ? [] : history(this.draft.base.path, localStorage));

  /** The last news of the file, so that each is applied only once. */
  #heard: ManifestText | null = null;
  #loads = 0;
  readonly #checker = new Checker<Checked>(
    (text) => ipc.manifestCheck(text),
    (checked) => {
      this.checked = checked;
      this.checkProblem = null;
      this.fresh = true;
    },
    (error) => (this.checkProblem = text(error)),
  );

  /** Reads the file. If news of the file arrive before the answer, the news are newer, and the answer is ignored. */
  async load(): Promise<void> {
    const heard = this.#heard;
    const mine = ++this.#loads;
    try {
      const file = await ipc.manifestRead();
      if (mine === this.#loads) {
        if (heard === this.#heard) {
          this.#onDisk(file);
        }
        this.problem = null;
      }
    } catch (error) {
      if (mine === this.#loads) {
        this.problem = text(error);
      }
    }
    this.schema ??= await ipc.manifestSchema().catch(() => null);
  }

  hear(file: ManifestText | null): void {
    if (file !== null && file !== this.#heard) {
      this.#heard = file;
      this.#onDisk(file);
    }
  }

  /**
   * Updates the draft with the present content of the file. If another file was opened, its stored edits are restored.
   */
  #onDisk(file: ManifestText): void {
    const mine = this.draft?.base.path === file.path ? this.draft : null;
    this.#set(mine === null ? reopen(file, localStorage) : drafts.disk(mine, file));
    if (mine === null && this.edited) {
      toasts.done(t.manifest.restored);
    }
  }

  edit(now: string): void {
    if (this.draft !== null) {
      this.#set(drafts.edit(this.draft, now));
    }
  }

  /** Checks the text again, because the network has changed and with it the effect of the text. */
  check(pauseMs?: number): void {
    if (this.draft !== null) {
      this.#checker.ask(this.draft.text, pauseMs);
    }
  }

  async save(): Promise<void> {
    if (this.draft === null || !drafts.canSave(this.draft)) {
      return;
    }
    const saving = drafts.save(this.draft);
    // When the answer arrives, another file may be open, to which the answer does not apply.
    const stillOpen = () => (this.draft?.base.path === saving.base.path ? this.draft : null);
    this.draft = saving;
    try {
      const file = await ipc.manifestSave(saving.text, saving.base.hash);
      const now = stillOpen();
      if (now === null) {
        keep(drafts.open(file), localStorage);
      } else {
        this.#set(drafts.saved(now, file));
        this.check(0);
      }
      toasts.done(t.manifest.saved(fileName(file.path)));
    } catch (error) {
      const now = stillOpen();
      if (now !== null) {
        this.draft = drafts.notSaved(now);
      }
      toasts.error(t.manifest.notSaved, text(error));
      // Another program has probably changed the file, and the person has to see its text first.
      await this.load();
    }
  }

  takeTheirs(): void {
    if (this.draft !== null) {
      const mine = this.draft.text;
      this.#set(drafts.takeTheirs(this.draft));
      const { base } = this.draft;
      toasts.undoable(t.manifest.outside.taken, () => this.draft?.base === base && this.edit(mine));
    }
  }

  keepMine(): void {
    if (this.draft !== null) {
      this.#set(drafts.keepMine(this.draft));
    }
  }

  discard(): void {
    if (this.draft !== null) {
      const mine = this.draft.text;
      this.#set(drafts.edit(this.draft, this.draft.base.text));
      const { path } = this.draft.base;
      toasts.undoable(t.manifest.discarded, () => this.draft?.base.path === path && this.edit(mine));
    }
  }

  /** Puts an older text into the editor, where its effect is shown before it is saved. */
  restore(old: string): void {
    if (this.draft !== null) {
      const mine = this.draft.text;
      const { path } = this.draft.base;
      this.edit(old);
      toasts.undoable(t.manifest.history.restored, () => this.draft?.base.path === path && this.edit(mine));
    }
  }

  #set(draft: drafts.Draft): void {
    const other = this.draft?.text !== draft.text;
    const first = this.draft?.base.path !== draft.base.path;
    if (this.draft !== null && !first && this.draft.base.text !== draft.base.text) {
      remember(draft.base.path, this.draft.base.text, Date.now(), localStorage);
    }
    this.draft = draft;
    keep(draft, localStorage);
    if (other || first) {
      this.fresh = false;
      this.checked = first ? null : this.checked;
      this.#checker.ask(draft.text, first ? 0 : undefined);
    }
  }
}

export const manifestModel = new ManifestModel();
