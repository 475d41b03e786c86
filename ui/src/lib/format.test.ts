import { expect, it } from "vitest";

import { bytes, clock, count, countdown, fileName, folder, micros, rate, shellLine, span } from "./format";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

it.each([
  [0, "0 B"],
  [-5, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [9949, "9.9 kB"],
  [9960, "10 kB"],
  [999_499, "999 kB"],
  [999_500, "1.0 MB"],
  [2.5e15, "2.5 PB"],
])("%d bytes are %s", (value, text) => {
  expect(plain(bytes(value))).toBe(text);
  expect(plain(rate(value))).toBe(`${text}/s`);
});

it.each([
  [85, "85 µs"],
  [1234, "1.2 ms"],
  [42_000, "42 ms"],
  [999_499, "999 ms"],
  [1_500_000, "1.5 s"],
])("%d microseconds are %s", (value, text) => {
  expect(plain(micros(value))).toBe(text);
});

it.each([
  [-1, "0 s"],
  [59_999, "59 s"],
  [60_000, "1 min"],
  [7_500_000, "2 h 5 min"],
  [7_200_000, "2 h"],
  [90_000_000, "1 d 1 h"],
])("%d ms are a span of %s", (value, text) => {
  expect(plain(span(value))).toBe(text);
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
