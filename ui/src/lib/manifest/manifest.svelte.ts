// The manifest, as the person edits it. Its text is the only state: the picture, the form and the text editor are views
// of the text, and all of their changes are steps of one history. The text is kept while other pages are open, so that
// unsaved edits are not lost. This model is in `lib`, because the shell reads the problems of the text, too.
import { confirm } from "../confirm.svelte";
import { fileName } from "../format";
import { ipc } from "../ipc";
import { text } from "../report";
import { t } from "../strings";
import { toasts } from "../toasts.svelte";
import type { Checked } from "../types/Checked";
import type { Conflict } from "../types/Conflict";
import type { Edited } from "../types/Edited";
import type { EditReach } from "../types/EditReach";
import type { EditRequest } from "../types/EditRequest";
import type { FieldSpec } from "../types/FieldSpec";
import type { ManifestChange } from "../types/ManifestChange";
import type { ManifestText } from "../types/ManifestText";
import type { Outline } from "../types/Outline";
import type { Problem } from "../types/Problem";
import { Checker } from "./checker";
import * as drafts from "./draft";
import { isCounted, renamingsOf, reversed, takeAway, withReach } from "./edits";
import { keep, reopen } from "./kept";
import { Latest } from "./latest";
import type { Schema } from "./schema";
import { selection } from "./selection.svelte";
import * as timelines from "./timeline";
import { followOutline, followTyped, forgetTyped, renameTyped } from "./typed.svelte";
import { views } from "./views.svelte";

const words = t.manifest;

class ManifestModel {
  draft = $state.raw<drafts.Draft | null>(null);
  /** The reason why the file could not be read; `null` if it could be read. */
  problem = $state.raw<string | null>(null);
  checked = $state.raw<Checked | null>(null);
  /** Whether `checked` is about the text as it is now. */
  fresh = $state.raw(false);
  /** The problems of the text as it is now. There are none until it was checked. */
  readonly problems: readonly Problem[] = $derived(this.fresh ? (this.checked?.problems ?? []) : []);
  checkProblem = $state.raw<string | null>(null);
  schema = $state.raw<Schema | null>(null);
  /**
   * The outline of the text. While the text cannot be read, this is the outline of the last text that could be read.
   */
  outline = $state.raw<Outline | null>(null);
  /** The text that `outline` describes. */
  #outlinedText: string | null = null;
  /**
   * The hosts that were renamed since `#outlinedText`. The selection and the typed texts get the new names together
   * with the outline.
   */
  #renamings: timelines.Renaming[] = [];
  /** Whether `outline` is older than the text, because the text cannot be read as it is now. */
  outlineStale = $state.raw(false);
  /** The outline of the saved file; null if the file cannot be read or is not known yet. */
  savedOutline = $state.raw<Outline | null>(null);
  /** All fields that a manifest can have. */
  fields = $state.raw<FieldSpec[]>([]);
  /**
   * The places at which the file and the edits have changed the same lines; empty if nobody else has changed the file.
   */
  conflicts = $state.raw<Conflict[]>([]);
  /** Whether a change of the file is being merged with the edits. */
  merging = $state.raw(false);
  #timeline = $state.raw(timelines.EMPTY);

  readonly canUndo = $derived(this.#timeline.past.length > 0 && this.draft?.base.editable === true);
  readonly canRedo = $derived(this.#timeline.future.length > 0 && this.draft?.base.editable === true);
  /** The last step of the history; null if there are no steps. */
  readonly lastStep = $derived(this.#timeline.past.at(-1) ?? null);
  /** The label of the step that undo takes back; null if the step was typed. */
  readonly undoLabel = $derived(this.draft === null ? null : (timelines.undo(this.#timeline, this.draft.text)?.step.label ?? null));
  /** The label of the step that redo makes again; null if the step was typed. */
  readonly redoLabel = $derived(this.#timeline.future[0]?.label ?? null);
  /** Whether the forms and the picture can be edited. They cannot while they show an older state than the text. */
  readonly canEdit = $derived(this.draft?.base.editable === true && !this.outlineStale && this.outline !== null);

  readonly edited = $derived(this.draft !== null && drafts.isEdited(this.draft));
  readonly canSave = $derived(this.draft !== null && drafts.canSave(this.draft));

  /** The changes of the file, the newest first. */
  changes = $state.raw<ManifestChange[]>([]);
  /** The earlier text that was put back last. */
  #restored: string | null = null;

  /** The last news of the file. It is kept so that each piece of news is applied only once. */
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
  readonly #outliner = new Latest<Outline | null>(
    (text) => ipc.manifestOutline(text),
    (outline, text) => this.draft?.text === text && this.#outlined(outline, text),
    (error) => toasts.error(words.notOutlined, text(error)),
  );
  readonly #savedOutliner = new Latest<Outline | null>(
    (text) => ipc.manifestOutline(text),
    (outline, text) => this.draft?.base.text === text && (this.savedOutline = outline),
    () => (this.savedOutline = null),
  );
  readonly #followers: ((path: string, renamings: readonly timelines.Renaming[]) => void)[] = [];
  /** Edits wait here for each other: each is made in the text that the previous edit has left. */
  #editing: Promise<unknown> = Promise.resolve();

  /** Calls `follower` whenever hosts of a file have other names, also after undo and redo. */
  onRenamed(follower: (path: string, renamings: readonly timelines.Renaming[]) => void): void {
    this.#followers.push(follower);
  }

  /** Reads the file. If news of the file arrives before the answer, the news is newer, and the answer is ignored. */
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
    if (this.fields.length === 0) {
      this.fields = await ipc.manifestFields().catch(() => []);
    }
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
    this.#set(mine === null ? reopen(file, localStorage) : drafts.disk(mine, file), words.steps.disk, [], true);
    if (mine === null && this.edited) {
      toasts.done(words.restored);
    }
    void this.#merge();
  }

  /** Merges a change of the file with the edits. If both have changed the same lines, the person has to decide. */
  async #merge(): Promise<void> {
    const before = this.draft;
    if (before === null || before.theirs === null) {
      this.conflicts = [];
      return;
    }
    const { theirs } = before;
    this.merging = true;
    try {
      const merged = await ipc.manifestMerge(before.base.text, before.text, theirs.text);
      const now = this.draft;
      if (now === null || now.theirs !== theirs || now.base !== before.base) {
        return;
      }
      if (now.text !== before.text) {
        // The person has typed in the meantime, so the merged text is out of date.
        await this.#merge();
        return;
      }
      this.conflicts = merged.conflicts;
      if (merged.conflicts.length === 0) {
        this.#set(drafts.merged(now, merged.text), words.steps.merged, [], true);
        this.offerUndo(words.outside.merged(fileName(theirs.path)));
      }
    } catch (error) {
      toasts.error(words.outside.notMerged, text(error));
    } finally {
      this.merging = false;
    }
  }

  /** Takes a text that the person has typed. */
  edit(now: string): void {
    if (this.draft !== null) {
      this.#set(drafts.edit(this.draft, now), null);
    }
  }

  /** Replaces the whole text, as one step. Shows a message with the step, and a button that undoes the step. */
  replace(now: string, label: string, message: string): void {
    if (this.draft !== null && this.draft.text !== now) {
      this.#set(drafts.edit(this.draft, now), label);
      this.offerUndo(message);
    }
  }

  /**
   * Makes edits, as one step. If a value is shared, asks the person how far the change reaches. Returns whether the edits
   * were made.
   */
  apply(edits: EditRequest[], label: string): Promise<boolean> {
    const counted = edits.some(isCounted) ? this.#outlinedText : null;
    const done = this.#editing.then(() => this.#apply(edits, label, counted)).catch((error: unknown) => {
      toasts.error(words.notEdited, text(error));
      return false;
    });
    this.#editing = done;
    return done;
  }

  /** `counted` is the text in which the numbers of the edits were counted; null if the edits have no numbers. */
  async #apply(edits: EditRequest[], label: string, counted: string | null): Promise<boolean> {
    const path = this.draft?.base.path;
    for (;;) {
      const before = this.draft;
      if (before === null || before.base.path !== path || !before.base.editable) {
        toasts.error(words.notEdited, words.readOnly);
        return false;
      }
      if (counted !== null && counted !== before.text) {
        toasts.error(words.notEdited, words.moved);
        return false;
      }
      const answer = await ipc.manifestEdit(before.text, edits);
      if (this.draft?.base.path !== path || this.draft.text !== before.text) {
        // The text has changed in the meantime, so the answer is about an older text.
        continue;
      }
      if (answer.kind === "done") {
        this.#take(answer, edits, label);
        return true;
      }
      const reach = await this.#askReach(answer, edits[answer.at]);
      if (reach === null) {
        return false;
      }
      edits = edits.with(answer.at, withReach(edits[answer.at] as EditRequest, reach));
    }
  }

  #take(answer: Edited & { kind: "done" }, edits: EditRequest[], label: string): void {
    const draft = this.draft as drafts.Draft;
    const renamings = renamingsOf(edits);
    this.#set(drafts.edit(draft, answer.text), label, renamings);
    this.#renamings.push(...renamings);
    // The numbers of counted edits are those of the outline, so that these edits say exactly what became of each item.
    const isCertain = edits.some(isCounted);
    if (isCertain) {
      selection.followed(edits);
      followTyped(edits);
    }
    this.#outlined(answer.outline, answer.text, isCertain);
    if (answer.also.length > 0 || takeAway(edits)) {
      this.offerUndo(words.withAlso(label, answer.also.join("; ")));
    }
  }

  /**
   * Asks how far a change of a shared value reaches; null if the edit was refused for another reason, or if the person
   * cancels.
   */
  async #askReach(refused: Edited & { kind: "refused" }, edit: EditRequest | undefined): Promise<EditReach | null> {
    const { code, message, hint } = refused;
    const isOpen = edit !== undefined && "reach" in edit && edit.reach === null;
    if (!isOpen || (code !== "shared" && code !== "fromTemplate")) {
      toasts.error(words.notEdited, [message, hint].join("\n"));
      return null;
    }
    const ask = words.reach;
    const everywhere = { id: "everywhere", label: ask.everywhere, kind: "plain" } as const;
    const here = { id: "here", label: ask.here, kind: "primary" } as const;
    return (await confirm.choose(ask.title, ask.text(message), [everywhere, here])) as EditReach | null;
  }

  /** Reads the outline of the present text; null if the text cannot be read. */
  async outlined(): Promise<Outline | null> {
    const { draft } = this;
    const outline = draft === null ? null : await ipc.manifestOutline(draft.text);
    if (this.draft === draft && draft !== null) {
      this.#outlined(outline, draft.text);
    }
    return outline;
  }

  /** Takes the outline of a text. `isFollowed` says that routes, rules and tests were followed to their new numbers. */
  #outlined(outline: Outline | null, text: string, isFollowed = false): void {
    this.outlineStale = outline === null;
    if (outline !== null) {
      if (this.outline !== null && !isFollowed) {
        selection.followedFrom(this.outline, outline);
        followOutline(this.outline, outline);
      }
      this.#outlinedText = text;
      this.outline = outline;
      selection.renamed(this.#renamings);
      const path = this.draft?.base.path;
      if (path !== undefined && this.#renamings.length > 0) {
        this.#followers.forEach((follower) => follower(path, this.#renamings));
      }
      renameTyped(this.#renamings);
      this.#renamings = [];
      selection.keepTo(outline);
    }
  }

  /**
   * Undoes the last step of the person; if none is left, the last change of the file. Returns the text after that; null
   * if there is nothing to undo.
   */
  undo(): string | null {
    return this.canUndo ? this.#move(timelines.undo, (step) => reversed(step.renamings)) : null;
  }

  redo(): string | null {
    return this.canRedo ? this.#move(timelines.redo, (step) => step.renamings) : null;
  }

  #move(how: typeof timelines.undo, renamings: (step: timelines.Step) => readonly timelines.Renaming[]): string | null {
    const { draft } = this;
    const moved = draft === null ? null : how(this.#timeline, draft.text);
    if (draft === null || moved === null) {
      return null;
    }
    this.#timeline = moved.timeline;
    this.#renamings.push(...renamings(moved.step));
    this.#show(drafts.edit(draft, moved.text));
    return moved.text;
  }

  /**
   * Undoes one step, and keeps the later ones. Fails if a later step has changed the same lines, or if the step is no
   * longer in the history.
   */
  async revert(step: timelines.Step): Promise<void> {
    if (this.lastStep?.id === step.id) {
      this.#move(timelines.undoLast, (moved) => reversed(moved.renamings));
      return;
    }
    const { draft } = this;
    const texts = draft === null ? null : timelines.around(this.#timeline, draft.text, step);
    if (draft === null || texts === null) {
      toasts.error(words.notReverted, words.alreadyUndone);
      return;
    }
    const merged = await ipc.manifestMerge(texts.after, draft.text, texts.before);
    if (merged.conflicts.length > 0 || this.draft?.text !== draft.text) {
      toasts.error(words.notReverted, words.notRevertedText);
      return;
    }
    this.#set(drafts.edit(this.draft, merged.text), words.steps.undid(step.label));
  }

  /** Shows a message with what the last step has done, and a button that undoes the step. */
  offerUndo(message: string): void {
    const step = this.lastStep;
    if (step !== null) {
      toasts.undoable(message, () => this.revert(step));
    }
  }

  /** Checks the text again. The network has changed, so the text may have a different effect now. */
  check(pauseMs?: number): void {
    if (this.draft !== null) {
      this.fresh = false;
      this.#checker.ask(this.draft.text, pauseMs);
    }
  }

  /** Waits for the edits that are being made. */
  async settled(): Promise<void> {
    await this.#editing;
  }

  /**
   * Checks the text, and again if it changes meanwhile. Returns the text that was checked with the result, which is null
   * if the check has failed; or null if another file was opened meanwhile.
   */
  async checkedNow(): Promise<{ text: string; checked: Checked | null } | null> {
    const path = this.draft?.base.path;
    for (;;) {
      await this.#editing;
      const { draft } = this;
      if (draft === null || draft.base.path !== path) {
        return null;
      }
      this.fresh = false;
      const checked = await this.#checker.now(draft.text);
      if (checked !== undefined) {
        return { text: draft.text, checked };
      }
    }
  }

  /** Saves a text. Returns whether it was saved; it is not if the draft has another text by now. */
  async save(shown: string): Promise<boolean> {
    if (this.draft === null || this.draft.text !== shown || !drafts.canSave(this.draft)) {
      return false;
    }
    const saving = drafts.save(this.draft);
    // When the answer arrives, another file may be open. The answer does not apply to that file.
    const stillOpen = () => (this.draft?.base.path === saving.base.path ? this.draft : null);
    this.draft = saving;
    try {
      const file = await ipc.manifestSave(saving.text, saving.base.hash, saving.text === this.#restored ? "restored" : views.shown);
      const now = stillOpen();
      if (now === null) {
        keep(drafts.open(file), localStorage);
      } else {
        this.#timeline = timelines.close(this.#timeline);
        this.#set(drafts.saved(now, file), null);
        this.check(0);
      }
      toasts.done(words.saved(fileName(file.path)));
      return true;
    } catch (error) {
      const now = stillOpen();
      if (now !== null) {
        this.draft = drafts.notSaved(now);
      }
      toasts.error(words.notSaved, text(error));
      // Another program has probably changed the file. The person has to see the new text of the file first.
      await this.load();
      return false;
    }
  }

  takeTheirs(): void {
    if (this.draft?.theirs !== null && this.draft !== null) {
      this.conflicts = [];
      this.#set(drafts.takeTheirs(this.draft), words.steps.theirs);
      this.offerUndo(words.outside.taken);
    }
  }

  keepMine(): void {
    if (this.draft !== null) {
      this.conflicts = [];
      this.#set(drafts.keepMine(this.draft), null);
    }
  }

  discard(): void {
    if (this.draft !== null) {
      this.replace(this.draft.base.text, words.steps.discarded, words.discarded);
    }
  }

  /**
   * Adds a published port to a host in the text. `address` is where a program of the host listens. Nothing is published
   * before the text is saved. Returns whether the port was added.
   */
  async publish(host: string, address: string): Promise<boolean> {
    await this.load();
    if (this.draft === null || !this.draft.base.editable) {
      throw this.problem ?? t.host.openPorts.readOnly;
    }
    const port = Number(address.slice(address.lastIndexOf(":") + 1));
    // A program that listens on all addresses of IPv6 usually has those of IPv4 as well.
    const target = address.replace(/^(0\.0\.0\.0|\[::\]):/, "127.0.0.1:");
    const item = `${port}:${target}`;
    // The change is for this host only, because the program listens there.
    const edit: EditRequest = { kind: "addItem", owner: { kind: "host", name: host }, field: "ports", at: null, item, reach: "here" };
    const isDone = await this.apply([edit], words.steps.port(item, host));
    if (isDone) {
      this.offerUndo(t.host.openPorts.published(port, host));
    }
    return isDone;
  }

  /** Puts an earlier text into the editor. Its effect is shown there before it is saved. */
  restore(old: string): void {
    this.#restored = old;
    this.replace(old, words.steps.restored, words.history.restored);
  }

  async #readChanges(): Promise<void> {
    const path = this.draft?.base.path;
    const changes = await ipc.manifestHistory().catch(() => []);
    if (this.draft?.base.path === path) {
      this.changes = changes;
    }
  }

  /** Takes a draft. If its text differs from the present one, the difference becomes a step of the history. */
  #set(draft: drafts.Draft, label: string | null, renamings: readonly timelines.Renaming[] = [], isForeign = false): void {
    const isSame = this.draft?.base.path === draft.base.path;
    // After a restart, the edits that were kept are one step.
    const before = isSame ? (this.draft as drafts.Draft).text : draft.base.text;
    const timeline = isSame ? this.#timeline : timelines.EMPTY;
    const change = { label: isSame ? label : words.steps.kept, renamings, isForeign: isSame && isForeign, nowMs: performance.now() };
    this.#timeline = timelines.record(timeline, before, draft.text, change);
    if (!isSame) {
      this.outline = null;
      this.outlineStale = false;
      this.#outlinedText = null;
      this.#renamings = [];
      this.conflicts = [];
      selection.clear();
      forgetTyped();
    }
    this.#show(draft);
  }

  /** Shows a draft, and asks the back end for the outline of its text. */
  #show(draft: drafts.Draft): void {
    const other = this.draft?.text !== draft.text;
    const first = this.draft?.base.path !== draft.base.path;
    const isOther = first || this.draft?.base.text !== draft.base.text;
    this.draft = draft;
    keep(draft, localStorage);
    if (isOther) {
      this.savedOutline = null;
      this.#savedOutliner.about(draft.base.text);
      void this.#readChanges();
    }
    if (other || first) {
      this.fresh = false;
      this.checked = first ? null : this.checked;
      this.#checker.ask(draft.text, first ? 0 : undefined);
      this.#outliner.about(draft.text);
    }
  }
}

export const manifestModel = new ManifestModel();
