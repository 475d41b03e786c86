import { expect, it } from "vitest";

import { Busy } from "./busy.svelte";

it("a second action does not begin before the first one is over", async () => {
  const busy = new Busy();
  const begun: string[] = [];
  let end = () => {};
  const running = busy.run(() => {
    begun.push("first");
    return new Promise((resolve) => (end = resolve));
  });
  await busy.run(async () => void begun.push("second"));
  expect([begun, busy.running]).toEqual([["first"], true]);
  end();
  await running;
  await busy.run(async () => void begun.push("third"));
  expect([begun, busy.running]).toEqual([["first", "third"], false]);
});

it("an action that fails is over, and its error is not swallowed", async () => {
  const busy = new Busy();
  await expect(busy.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(busy.running).toBe(false);
});
