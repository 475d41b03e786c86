// The history of a text that is being edited. Every change is a step that can be undone, whichever view has made the
// change. A step contains only what differs, so that a long text with many steps takes little memory.
import { splice, splices } from "./lines";

/** A host's old and new name, so that the selection can follow undo and redo. */
export type Renaming = readonly [from: string, to: string];

export type Step = {
  /** The number of the step. It stays the same if the step is put behind others, with another offset. */
  readonly id: number;
  /** The offset of the change. */
  readonly from: number;
  /** The text at this offset before the change. */
  readonly gone: string;
  /** The text at this offset after the change. */
  readonly fresh: string;
  /** The effect of the step, in words; null if the person has typed. */
  readonly label: string | null;
  readonly renamings: readonly Renaming[];
  /** Whether somebody else has made the change, in the file. */
  readonly isForeign: boolean;
  /** The time of the last change in this step, in milliseconds. */
  readonly atMs: number;
};

export type Timeline = {
  readonly past: readonly Step[];
  readonly future: readonly Step[];
  /** Whether text that is typed next may be added to the last step. */
  readonly open: boolean;
};

/** How a change was made. A change without a label was typed. */
export type Change = { label: string | null; renamings?: readonly Renaming[]; isForeign?: boolean; nowMs: number };

/** The result of undo and redo. */
export type Moved = { timeline: Timeline; text: string; step: Step };

export const EMPTY: Timeline = { past: [], future: [], open: false };

/** After a pause of this length, the next typed text begins a new step. */
export const PAUSE_MS = 800;
/** The maximum number of steps. The oldest ones are forgotten first. */
const STEPS_MAX = 10_000;
/** The maximum number of changes of the file that stay when an earlier step of the person is undone. */
const FOREIGN_MAX = 50;
/** The maximum number of characters in all steps together. */
const SIZE_MAX = 32_000_000;

let lastId = 0;

/** Adds the change from one text to another. Steps that were undone before cannot be redone afterwards. */
export function record(timeline: Timeline, before: string, after: string, change: Change): Timeline {
  if (before === after) {
    return timeline;
  }
  const last = timeline.past.at(-1);
  const goesOn = last !== undefined && timeline.open && !last.isForeign && last.label === null && change.label === null && change.nowMs - last.atMs < PAUSE_MS;
  const start = goesOn ? backward(before, last) : before;
  const past = goesOn ? timeline.past.slice(0, -1) : timeline.past;
  // If the text that was typed in this step was deleted again, the step is dropped.
  return { past: start === after ? past : bounded([...past, stepOf(goesOn ? last.id : ++lastId, start, after, change)]), future: [], open: true };
}

/**
 * Undoes the last step of the person, although changes of the file may have come after it: those stay. Changes of the
 * file are undone when no other step is left, if the step has been changed by them, or if very many came after it.
 */
export function undo(timeline: Timeline, text: string): Moved | null {
  return undoLast(ownLast(timeline, text) ?? timeline, text);
}

/** Undoes the last step, whoever has made it. */
export function undoLast(timeline: Timeline, text: string): Moved | null {
  const step = timeline.past.at(-1);
  if (step === undefined) {
    return null;
  }
  return { timeline: { past: timeline.past.slice(0, -1), future: [step, ...timeline.future], open: false }, text: backward(text, step), step };
}

/**
 * The same history with the last step of the person behind the changes of the file that came after it; null if there is
 * no such step, or if it cannot be told apart from these changes.
 */
function ownLast(timeline: Timeline, text: string): Timeline | null {
  const { past } = timeline;
  const first = Math.max(0, past.length - 1 - FOREIGN_MAX);
  const at = past.findLastIndex((step, at) => at >= first && !step.isForeign);
  let own = past[at];
  if (own === undefined || at === past.length - 1) {
    return null;
  }
  // The texts after each of the changes of the file.
  const foreign = past.slice(at + 1);
  const texts: string[] = [];
  foreign.reduceRight((now, step, number) => backward((texts[number] = now), step), text);
  const before: Step[] = [];
  for (const [number, step] of foreign.entries()) {
    const swapped: [Step, Step] | null = exchanged(own, step, texts[number] ?? text);
    if (swapped === null) {
      return null;
    }
    before.push(swapped[0]);
    own = swapped[1];
  }
  return { ...timeline, past: [...past.slice(0, at), ...before, own], open: false };
}

/** Two steps in the other order, with the same result; null if the later one has changed what the earlier one wrote. */
function exchanged(first: Step, second: Step, after: string): [Step, Step] | null {
  const between = backward(after, second);
  const before = backward(between, first);
  const end = first.from + first.fresh.length;
  const touches = ({ from, to }: { from: number; to: number }) => to > first.from && from < end;
  const whole = { from: second.from, to: second.from + second.gone.length, insert: second.fresh };
  // The lines are compared only if the person's edit may lie between two parts of the other change, because that takes long.
  const parts = touches(whole) ? splices(between, after) : [whole];
  if (parts.some(touches)) {
    return null;
  }
  const shift = first.gone.length - first.fresh.length;
  const only = parts.reduceRight((text, { from, to, insert }) => {
    const by = from >= end ? shift : 0;
    return text.slice(0, from + by) + insert + text.slice(to + by);
  }, before);
  return [stepOf(second.id, before, only, { ...second, nowMs: second.atMs }), stepOf(first.id, only, after, { ...first, nowMs: first.atMs })];
}

export function redo(timeline: Timeline, text: string): Moved | null {
  const [step, ...future] = timeline.future;
  if (step === undefined) {
    return null;
  }
  return { timeline: { past: [...timeline.past, step], future, open: false }, text: forward(text, step), step };
}

/** The texts before and after an earlier step; null if the step is not in the history. */
export function around(timeline: Timeline, text: string, step: Step): { before: string; after: string } | null {
  const at = timeline.past.findLastIndex((one) => one.id === step.id);
  const found = timeline.past[at];
  if (found === undefined) {
    return null;
  }
  const after = timeline.past.slice(at + 1).reduceRight(backward, text);
  return { before: backward(after, found), after };
}

/** The history with its last step closed, so that the next typed text begins a new step. */
export function close(timeline: Timeline): Timeline {
  return { ...timeline, open: false };
}

function stepOf(id: number, before: string, after: string, { label, renamings = [], isForeign = false, nowMs }: Change): Step {
  const { from, to, insert } = splice(before, after);
  return { id, from, gone: before.slice(from, to), fresh: insert, label, renamings, isForeign, atMs: nowMs };
}

function backward(text: string, { from, gone, fresh }: Step): string {
  return text.slice(0, from) + gone + text.slice(from + fresh.length);
}

function forward(text: string, { from, gone, fresh }: Step): string {
  return text.slice(0, from) + fresh + text.slice(from + gone.length);
}

function bounded(steps: readonly Step[]): readonly Step[] {
  let size = 0;
  let first = steps.length;
  while (first > 0 && steps.length - first < STEPS_MAX) {
    const { gone, fresh } = steps[first - 1] as Step;
    size += gone.length + fresh.length;
    if (size > SIZE_MAX && first < steps.length) {
      break;
    }
    first -= 1;
  }
  return first === 0 ? steps : steps.slice(first);
}
