import { describe, expect, it } from "vitest";
import { diff, hunks, splice, splices } from "./lines";

const marks = { same: " ", gone: "-", new: "+" } as const;

function shown(before: string, after: string): string[] {
  return diff(before, after).map((line) => marks[line.kind] + line.text);
}

describe("two texts line by line", () => {
  it("keeps what is the same and says what is not", () => {
    expect(shown("a\nb\nc\n", "a\nx\nc\n")).toEqual([" a", "-b", "+x", " c", " "]);
    expect(shown("a\nb", "b")).toEqual(["-a", " b"]);
    expect(shown("", "a")).toEqual(["-", "+a"]);
    expect(shown("a", "a")).toEqual([" a"]);
  });

  it("finds lines that stayed between changes", () => {
    expect(shown("1\na\n2\nb\n3", "1\nx\n2\ny\n3")).toEqual([" 1", "-a", "+x", " 2", "-b", "+y", " 3"]);
  });

  it("makes the new text out of the old one, whatever the texts are", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let round = 0; round < 200; round += 1) {
      const text = () => Array.from({ length: random(12) }, () => "abc"[random(3)]).join("\n");
      const [before, after] = [text(), text()];
      const lines = diff(before, after);
      const side = (kind: "gone" | "new") => lines.filter((line) => line.kind !== kind).map((line) => line.text);
      expect(side("gone").join("\n")).toBe(after);
      expect(side("new").join("\n")).toBe(before);
      const { from, to, insert } = splice(before, after);
      expect(before.slice(0, from) + insert + before.slice(to)).toBe(after);
    }
  });

  it("does not take for ever over long texts that have nothing in common", () => {
    const long = (word: string) => Array.from({ length: 5_000 }, (_, at) => word + at).join("\n");
    expect(diff(long("a"), long("b"))).toHaveLength(10_000);
  });

  it("leaves out what is far from any change", () => {
    const before = Array.from({ length: 20 }, (_, at) => String(at)).join("\n");
    const lines = hunks(diff(before, before.replace("10", "x")), 1);
    expect(lines.map((line) => line?.text ?? "...")).toEqual(["...", "9", "10", "x", "11", "..."]);
    expect(hunks(diff("a\nb", "a\nb"))).toEqual([null]);
  });
});

it("the ranges in which texts differ are apart from each other, and lead from one text to the other", () => {
  const texts = ["", "a", "a\n", "a\nb", "a\nb\n", "a\nx\nb\ny\nc", "a\nb\nc\n", "x\nb\ny\n", "b", "\n\na"];
  for (const before of texts) {
    for (const after of texts) {
      const parts = splices(before, after);
      const made = parts.reduceRight((now, { from, to, insert }) => now.slice(0, from) + insert + now.slice(to), before);
      expect(made).toBe(after);
    }
  }
  expect(splices("one\ntwo\nthree\n", "ONE\ntwo\n3\n")).toEqual([{ from: 0, to: 3, insert: "ONE" }, { from: 8, to: 13, insert: "3" }]);
});
