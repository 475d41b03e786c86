import { expect, it } from "vitest";

import { bytes, clock, count, countdown, fileName, folder, micros, rate, shellLine, span } from "./format";
import words from "./golden/words.json?raw";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

it("figures are written as by the program, whose own are held against the same table in `tests/it/words.rs`", () => {
  const writers = { bytes, rate, latency: micros, span, countdown };
  const table = JSON.parse(words) as Record<keyof typeof writers, [number, string][]>;
  for (const kind of Object.keys(writers) as (keyof typeof writers)[]) {
    const written = table[kind].map(([amount]) => [amount, plain(writers[kind](amount))]);
    expect(written, kind).toEqual(table[kind]);
  }
});

it("figures that are less than nothing, or between two, are cut off", () => {
  expect([bytes(-5), rate(0.7), span(-1)].map(plain)).toEqual(["0 B", "0 B/s", "0 s"]);
});

it("a countdown shows 1 until its end", () => {
  expect([1, 1000, 1001, 0, -3].map((ms) => plain(countdown(ms)))).toEqual(["1 s", "1 s", "2 s", "0 s", "0 s"]);
  expect(plain(countdown(61_000))).toBe("1 min");
});

it("thousands stand apart, and times have steady widths", () => {
  expect(count(1234567)).toBe("1,234,567");
  expect(clock(5)).toMatch(/^\d\d:\d\d:\d\d$/);
  expect(clock(5, true)).toMatch(/\.005$/);
});

it("paths of both kinds of system have a name and a folder", () => {
  expect([fileName("/a/b.yaml"), folder("/a/b.yaml")]).toEqual(["b.yaml", "/a"]);
  expect([fileName("C:\\nets\\b.yaml"), folder("C:\\nets\\b.yaml")]).toEqual(["b.yaml", "C:\\nets"]);
  expect(folder("/b.yaml")).toBe("/");
});

it("a command line keeps words with spaces and quotes whole", () => {
  expect(shellLine(["ssh", "-o", "A B", "it's", ""])).toBe("ssh -o 'A B' 'it'\\''s' ''");
});
