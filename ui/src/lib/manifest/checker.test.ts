import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Checker, PAUSE_MS } from "./checker";

type Asked = { text: string; resolve: (result: string) => void; reject: (error: unknown) => void };

let asked: Asked[] = [];
let told: string[] = [];
let checker: Checker<string>;

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  told = [];
  checker = new Checker(
    (text) => new Promise((resolve, reject) => asked.push({ text, resolve, reject })),
    (result, text) => told.push(`${result} of ${text}`),
    (error) => told.push(String(error)),
  );
});

afterEach(() => {
  vi.useRealTimers();
});

it("a check waits until typing pauses", async () => {
  checker.ask("a");
  await vi.advanceTimersByTimeAsync(PAUSE_MS - 1);
  checker.ask("ab");
  await vi.advanceTimersByTimeAsync(PAUSE_MS - 1);
  expect(asked).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked.map(({ text }) => text)).toEqual(["ab"]);
});

it("a late answer to an older text does not count", async () => {
  checker.ask("old");
  await vi.advanceTimersByTimeAsync(PAUSE_MS);
  checker.ask("new");
  await vi.advanceTimersByTimeAsync(PAUSE_MS);
  asked[1]?.resolve("answer");
  asked[0]?.resolve("answer");
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["answer of new"]);
});

it("an answer does not count once the text has changed or the page is gone", async () => {
  checker.ask("a");
  await vi.advanceTimersByTimeAsync(PAUSE_MS);
  checker.stop();
  asked[0]?.resolve("answer");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(told).toEqual([]);
});

it("a failure is told, unless it is an old one", async () => {
  checker.ask("a", 0);
  await vi.advanceTimersByTimeAsync(0);
  checker.ask("b", 0);
  await vi.advanceTimersByTimeAsync(0);
  asked[0]?.reject("old");
  asked[1]?.reject("gone");
  await vi.advanceTimersByTimeAsync(0);
  expect(told).toEqual(["gone"]);
});
