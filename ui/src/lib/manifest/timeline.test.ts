import { describe, expect, it } from "vitest";

import { Chance } from "../../mock/chance";
import { around, close, EMPTY, PAUSE_MS, record, redo, type Timeline, undo } from "./timeline";

const typed = (nowMs: number) => ({ label: null, nowMs });

function undoAll(timeline: Timeline, text: string): { timeline: Timeline; text: string; steps: number } {
  let steps = 0;
  for (let back = undo(timeline, text); back !== null; back = undo(timeline, text)) {
    ({ timeline, text } = back);
    steps += 1;
  }
  return { timeline, text, steps };
}

describe("typing", () => {
  it("is one step until there is a pause", () => {
    let timeline = record(EMPTY, "", "a", typed(0));
    timeline = record(timeline, "a", "ab", typed(PAUSE_MS - 1));
    timeline = record(timeline, "ab", "abc", typed(2 * PAUSE_MS));
    expect(timeline.past.map((step) => step.fresh)).toEqual(["ab", "c"]);
  });

  it("that is taken back at once leaves no step", () => {
    const timeline = record(record(EMPTY, "x", "xy", typed(0)), "xy", "x", typed(1));
    expect(timeline.past).toEqual([]);
  });

  it("does not join a step that something else has made, or that was undone or closed", () => {
    const edited = record(EMPTY, "a", "ab", { label: "adds b", nowMs: 0 });
    expect(record(edited, "ab", "abc", typed(1)).past).toHaveLength(2);
    const back = undo(record(record(EMPTY, "", "a", typed(0)), "a", "ab", typed(PAUSE_MS)), "ab");
    const again = redo(back!.timeline, back!.text);
    expect(record(again!.timeline, again!.text, "abc", typed(PAUSE_MS + 1)).past).toHaveLength(3);
    expect(record(close(record(EMPTY, "", "a", typed(0))), "a", "ab", typed(1)).past).toHaveLength(2);
  });
});

it("a change that changes nothing is no step, and keeps what can be redone", () => {
  const { timeline } = undo(record(EMPTY, "a", "b", typed(0)), "b")!;
  expect(record(timeline, "a", "a", typed(1))).toBe(timeline);
  expect(record(timeline, "a", "c", typed(1)).future).toEqual([]);
});

it("the texts around a step that lies further back are known", () => {
  let timeline = record(EMPTY, "a", "ab", { label: "adds b", nowMs: 0 });
  const step = timeline.past[0]!;
  timeline = record(timeline, "ab", "xab", typed(1));
  expect(around(timeline, "xab", step)).toEqual({ before: "a", after: "ab" });
  expect(around(EMPTY, "xab", step)).toBeNull();
});

it("nothing can be undone or redone in an empty history", () => {
  expect(undo(EMPTY, "a")).toBeNull();
  expect(redo(EMPTY, "a")).toBeNull();
});

it("the oldest steps are forgotten when there are too many, and the others stay true", () => {
  let timeline: Timeline = EMPTY;
  let text = "";
  const texts: string[] = [];
  for (let at = 0; at < 10_050; at += 1) {
    const next = `${text.slice(-20)}${at} `;
    timeline = record(timeline, text, next, { label: "adds", nowMs: at });
    texts.push(text);
    text = next;
  }
  const all = undoAll(timeline, text);
  expect(all.steps).toBe(10_000);
  expect(all.text).toBe(texts[50]);
});

describe("undo after the file has changed", () => {
  const own = (text: string, from: string, to: string) => [text, text.replace(from, to), { label: to, nowMs: 0 }] as const;
  const theirs = (text: string, ...changes: [string, string][]) =>
    [text, changes.reduce((now, [from, to]) => now.replace(from, to), text), { label: "theirs", isForeign: true, nowMs: 0 }] as const;
  const made = (first: string, ...steps: ((text: string) => ReturnType<typeof own> | ReturnType<typeof theirs>)[]) => {
    let [timeline, text]: [Timeline, string] = [EMPTY, first];
    for (const step of steps) {
      const [before, after, change] = step(text);
      [timeline, text] = [record(timeline, before, after, change), after];
    }
    return { timeline, text };
  };
  const FIRST = "one\ntwo\nthree\nfour\n";

  it("takes back the person's own edit, and keeps the changes of the file on both sides of it", () => {
    const { timeline, text } = made(FIRST, (now) => own(now, "two", "TWO"), (now) => theirs(now, ["one", "ONE!"], ["four", "4"]));
    const back = undo(timeline, text)!;
    expect([back.step.label, back.text]).toEqual(["TWO", "ONE!\ntwo\nthree\n4\n"]);
    const again = redo(back.timeline, back.text)!;
    expect(again.text).toBe(text);
    const first = undo(back.timeline, back.text)!;
    expect([first.step.label, first.text]).toEqual(["theirs", FIRST]);
  });

  it("takes back several own edits before the first change of the file", () => {
    const { timeline, text } = made(FIRST, (now) => own(now, "two", "TWO"), (now) => theirs(now, ["four", "4"]), (now) => own(now, "one", "ONE"), (now) => theirs(now, ["three", "3\n3"]));
    const labels: (string | null)[] = [];
    let [now, at] = [text, timeline];
    for (let back = undo(at, now); back !== null; back = undo(at, now)) {
      labels.push(back.step.label);
      [now, at] = [back.text, back.timeline];
    }
    expect(labels).toEqual(["ONE", "TWO", "theirs", "theirs"]);
    expect(now).toBe(FIRST);
  });

  it("still knows the steps that have changed places", () => {
    const { timeline, text } = made(FIRST, (now) => own(now, "two", "TWO"), (now) => theirs(now, ["one", "ONE!"]));
    const [mine, change] = timeline.past;
    const back = undo(timeline, text)!;
    expect(around(back.timeline, back.text, change!)).toEqual({ before: FIRST, after: "ONE!\ntwo\nthree\nfour\n" });
    expect(around(back.timeline, back.text, mine!)).toBeNull();
    const again = redo(back.timeline, back.text)!;
    expect(around(again.timeline, again.text, mine!)).toEqual({ before: "ONE!\ntwo\nthree\nfour\n", after: text });
  });

  it("takes back the own edit behind 50 changes of the file, and behind more of them the last of these", () => {
    const after = (count: number) => {
      const changes = Array.from({ length: count }, (_, at) => (now: string) => theirs(now, [at === 0 ? "four" : `${at - 1} times`, `${at} times`]));
      const { timeline, text } = made(FIRST, (now) => own(now, "two", "TWO"), ...changes);
      return undo(timeline, text)?.text;
    };
    expect(after(50)).toBe("one\ntwo\nthree\n49 times\n");
    expect(after(51)).toBe("one\nTWO\nthree\n49 times\n");
  });

  it("takes back the change of the file first if it has changed the same words", () => {
    const { timeline, text } = made(FIRST, (now) => own(now, "two", "TWO"), (now) => theirs(now, ["TWO", "deux"]));
    expect(undo(timeline, text)).toMatchObject({ text: "one\nTWO\nthree\nfour\n", step: { label: "theirs" } });
  });
});

/**
 * Pieces of manifests. They have line ends of both kinds, letters beyond ASCII, and characters that share one half of
 * their surrogate pairs.
 */
const PIECES = ["", "a", "hosts:\n", "  web1:\r\n", "# größer 😀\n", "😀", "😁", '"8080:127.0.0.1:80"', "\n", "\r\n", "\t", "\u2028", "aaaa"];

it("after random edits, as many undos give the first text, character for character, and as many redos the last one", () => {
  const chance = new Chance(42);
  const below = (n: number) => Math.floor(chance.next() * n);
  for (let round = 0; round < 2_000; round += 1) {
    const first = Array.from({ length: below(6) }, () => PIECES[below(PIECES.length)]).join("");
    let text = first;
    let timeline: Timeline = EMPTY;
    let nowMs = 0;
    const count = 1 + below(25);
    for (let at = 0; at < count; at += 1) {
      nowMs += below(2 * PAUSE_MS);
      const kind = below(10);
      const moved = kind === 0 ? undo(timeline, text) : kind === 1 ? redo(timeline, text) : null;
      if (moved !== null) {
        ({ timeline, text } = moved);
        continue;
      }
      const from = below(text.length + 1);
      const to = Math.min(text.length, from + below(8));
      const next = text.slice(0, from) + PIECES[below(PIECES.length)] + text.slice(to);
      const isForeign = below(4) === 0;
      timeline = record(timeline, text, next, { label: !isForeign && below(2) === 0 ? null : "edit", isForeign, nowMs });
      text = next;
    }
    const back = undoAll(timeline, text);
    expect(back.text).toBe(first);
    expect(back.steps).toBe(timeline.past.length);
    let { timeline: ahead, text: now } = back;
    for (let at = 0; at < back.steps; at += 1) {
      const next = redo(ahead, now);
      expect(next).not.toBeNull();
      ({ timeline: ahead, text: now } = next!);
    }
    expect(now).toBe(text);
  }
});
