import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Poller } from "./poller";

let asked = 0;
let answer: (value: number) => void = () => undefined;
let got: number[] = [];
let poller: Poller<number>;

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  got = [];
  poller = new Poller(
    1_000,
    () => {
      asked += 1;
      return new Promise((resolve) => (answer = resolve));
    },
    (value) => got.push(value),
    () => got.push(-1),
  );
});

afterEach(() => {
  poller.stop();
  vi.useRealTimers();
});

it("asks at once and then each second, one question at a time", async () => {
  poller.start();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toBe(1);
  answer(7);
  await vi.advanceTimersByTimeAsync(250);
  expect([asked, got]).toEqual([2, [7]]);
  answer(8);
  await vi.advanceTimersByTimeAsync(999);
  expect(asked).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(asked).toBe(3);
});

it("asks nothing more once it is stopped, and takes no late answer", async () => {
  poller.start();
  await vi.advanceTimersByTimeAsync(0);
  poller.stop();
  answer(7);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([asked, got]).toEqual([1, []]);
  poller.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(asked).toBe(2);
});

it("asks at once when told to, takes no older answer, and goes on only if it did before", async () => {
  poller.start();
  const old = answer;
  poller.now();
  old(1);
  answer(2);
  await vi.advanceTimersByTimeAsync(1_000);
  expect([asked, got]).toEqual([3, [2]]);
  poller.stop();
  poller.now();
  answer(3);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([asked, got]).toEqual([4, [2, 3]]);
});
