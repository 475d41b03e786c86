import { afterEach, beforeEach, expect, it, vi } from "vitest";

import { act, actUndoable, toasts } from "./toasts.svelte";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  toasts.hold(false);
  toasts.end();
  vi.useRealTimers();
});

const messages = () => toasts.list.map((toast) => toast.message);

it("an error goes when its action has succeeded, or after a while, and never stays for ever", async () => {
  await act(Promise.reject(new Error("no")), null, "Could not start");
  await act(Promise.reject(new Error("no")), null, "Could not copy");
  expect(messages()).toEqual(["Could not start", "Could not copy"]);
  await act(Promise.resolve(), null, "Could not start");
  expect(messages()).toEqual(["Could not copy"]);
  vi.advanceTimersByTime(60_000);
  expect(messages()).toEqual([]);
});

it("all errors go when the network has changed, and other toasts stay", () => {
  toasts.error("Could not open the manifest", "the network n40 runs here; stop it first");
  toasts.done("Copied the name");
  vi.advanceTimersByTime(2000);
  toasts.error("Could not start the network");
  toasts.settleAll();
  expect(messages()).toEqual(["Copied the name", "Could not start the network"]);
});

it("no toast goes while it is read", () => {
  toasts.error("Could not start");
  toasts.hold(true);
  toasts.done("Copied the name");
  vi.advanceTimersByTime(60_000);
  expect(messages()).toEqual(["Could not start", "Copied the name"]);
  toasts.hold(false);
  vi.advanceTimersByTime(60_000);
  expect(messages()).toEqual([]);
});

it("what is taken back is not completed, and what is not taken back is completed once", () => {
  const over = vi.fn();
  const undo = vi.fn();
  toasts.undoable("Removed office", undo, over);
  toasts.undo(toasts.list[0]!);
  vi.advanceTimersByTime(60_000);
  expect([undo.mock.calls.length, over.mock.calls.length, messages()]).toEqual([1, 0, []]);
  toasts.undoable("Removed office", undo, over);
  vi.advanceTimersByTime(60_000);
  expect([undo.mock.calls.length, over.mock.calls.length, messages()]).toEqual([1, 1, []]);
});

it("only an action that succeeded can be taken back", async () => {
  const undo = vi.fn();
  expect(await actUndoable(Promise.reject(new Error("no")), "Stopped web1", undo, "Could not stop web1")).toBe(false);
  expect(toasts.list.map((toast) => [toast.message, toast.undo])).toEqual([["Could not stop web1", null]]);
  expect(await actUndoable(Promise.resolve(), "Stopped web1", undo, "Could not stop web1")).toBe(true);
  expect(toasts.list.map((toast) => [toast.message, toast.undo])).toEqual([["Stopped web1", undo]]);
});
