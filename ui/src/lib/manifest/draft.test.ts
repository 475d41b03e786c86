import { describe, expect, it } from "vitest";
import * as draft from "./draft";
import type { ManifestText } from "../types/ManifestText";

function file(text: string, more: Partial<ManifestText> = {}): ManifestText {
  return { path: "/home/me/office.yaml", text, hash: `hash of ${text}`, editable: true, ...more };
}

describe("a file that changes outside", () => {
  it("appears at once where the editor has no edits of its own", () => {
    const now = draft.disk(draft.open(file("a")), file("b"));
    expect(now).toMatchObject({ text: "b", theirs: null, base: { text: "b" } });
    expect(draft.isEdited(now)).toBe(false);
  });

  it("waits for a decision where it has, and cannot be saved over until then", () => {
    const mine = draft.edit(draft.open(file("a")), "mine");
    expect(draft.canSave(mine)).toBe(true);
    const now = draft.disk(mine, file("b"));
    expect(now).toMatchObject({ text: "mine", theirs: { text: "b" }, base: { text: "a" } });
    expect(draft.canSave(now)).toBe(false);
    expect(draft.takeTheirs(now)).toEqual(draft.open(file("b")));
    const kept = draft.keepMine(now);
    expect(kept).toMatchObject({ text: "mine", theirs: null, base: { hash: "hash of b" } });
    expect(draft.canSave(kept)).toBe(true);
  });

  it("asks again when it changes once more", () => {
    const mine = draft.keepMine(draft.disk(draft.edit(draft.open(file("a")), "mine"), file("b")));
    expect(draft.disk(mine, file("c")).theirs?.text).toBe("c");
  });

  it("asks nothing when it is what the editor holds, or what it was made from", () => {
    const mine = draft.edit(draft.open(file("a")), "mine");
    const same = draft.disk(mine, file("mine"));
    expect([same.theirs, draft.isEdited(same)]).toEqual([null, false]);
    const back = draft.disk(draft.disk(mine, file("b")), file("a"));
    expect(back.theirs).toBeNull();
    expect(back.text).toBe("mine");
  });
});

describe("saving", () => {
  it("keeps what was typed while it went on", () => {
    const saving = draft.save(draft.edit(draft.open(file("a")), "b"));
    expect(draft.canSave(saving)).toBe(false);
    const typed = draft.edit(saving, "bc");
    const now = draft.saved(draft.disk(typed, file("b")), file("b"));
    expect(now).toMatchObject({ text: "bc", theirs: null, saving: null, base: { text: "b" } });
    expect(draft.canSave(now)).toBe(true);
  });

  it("does not hide a change that came after it", () => {
    const saving = draft.save(draft.edit(draft.open(file("a")), "b"));
    const now = draft.saved(draft.disk(saving, file("c")), file("b"));
    expect(now.theirs?.text).toBe("c");
  });

  it("is possible again after it failed", () => {
    const failed = draft.notSaved(draft.save(draft.edit(draft.open(file("a")), "b")));
    expect(draft.canSave(failed)).toBe(true);
  });

  it("is not possible without edits, nor in a text that is only for reading", () => {
    expect(draft.canSave(draft.open(file("a")))).toBe(false);
    expect(draft.canSave(draft.edit(draft.open(file("a", { editable: false })), "b"))).toBe(false);
  });
});
