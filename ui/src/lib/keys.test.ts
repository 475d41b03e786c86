import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { inField, pauseShortcuts } from "./keys";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance"] }));
afterEach(() => void vi.useRealTimers());

it("a letter is no shortcut for two seconds after a prompt, wherever the focus is", () => {
  expect(inField(document.body)).toBe(false);
  pauseShortcuts();
  vi.advanceTimersByTime(1999);
  expect(inField(document.body)).toBe(true);
  vi.advanceTimersByTime(1);
  expect(inField(document.body)).toBe(false);
});

it("a dialog gets every key, even if its focused control has gone", () => {
  vi.advanceTimersByTime(60_000);
  const dialog = document.body.appendChild(document.createElement("dialog"));
  dialog.open = true;
  expect(inField(document.body)).toBe(true);
  dialog.remove();
  expect(inField(document.body)).toBe(false);
});
