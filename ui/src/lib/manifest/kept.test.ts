import { beforeEach, expect, it } from "vitest";

import type { ManifestText } from "../types/ManifestText";
import { edit, isEdited, open } from "./draft";
import { keep, reopen } from "./kept";

const file = (text: string, path = "/a.yaml"): ManifestText => ({ path, text, hash: `hash of ${text}`, editable: true });

beforeEach(() => localStorage.clear());

it("edits come back with their file, and with no other", () => {
  keep(edit(open(file("one")), "one and more"), localStorage);
  expect(reopen(file("one"), localStorage).text).toBe("one and more");
  expect(isEdited(reopen(file("one"), localStorage))).toBe(true);
  expect(reopen(file("one", "/b.yaml"), localStorage).text).toBe("one");
});

it("a file that has changed meanwhile is to be looked at first", () => {
  keep(edit(open(file("one")), "mine"), localStorage);
  const draft = reopen(file("theirs"), localStorage);
  expect(draft.text).toBe("mine");
  expect(draft.theirs?.text).toBe("theirs");
});

it("what was saved or given up does not come back", () => {
  const edited = edit(open(file("one")), "mine");
  keep(edited, localStorage);
  keep(edit(edited, "one"), localStorage);
  expect(localStorage).toHaveLength(0);
});

it("what cannot be understood is no draft, and a full storage stops nobody", () => {
  for (const json of ["", "null", "{", "[1,2]", '[{"path":"/a.yaml"},"x"]']) {
    localStorage.setItem("norouter.draft /a.yaml", json);
    expect(reopen(file("one"), localStorage)).toEqual(open(file("one")));
  }
  const full = {
    getItem: () => null,
    removeItem: () => undefined,
    setItem: () => {
      throw new Error("QuotaExceededError");
    },
  };
  expect(() => keep(edit(open(file("one")), "mine"), full)).not.toThrow();
});
