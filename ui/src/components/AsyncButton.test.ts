import { fireEvent, render, screen } from "@testing-library/svelte";
import { expect, it, vi } from "vitest";

import { Busy } from "../lib/busy.svelte";
import AsyncButton from "./AsyncButton.svelte";

function button(name: string): HTMLElement {
  return screen.getByRole("button", { name });
}

it("a button takes no second click while its action runs, and its group waits with it", async () => {
  const group = new Busy();
  let end = () => {};
  const action = vi.fn(() => new Promise<void>((resolve) => (end = resolve)));
  const other = vi.fn(async () => {});
  render(AsyncButton, { label: "Stop", action, group });
  render(AsyncButton, { label: "Reload", action: other, group });
  render(AsyncButton, { label: "Copy", action: other });
  await fireEvent.click(button("Stop"));
  await fireEvent.click(button("Stop"));
  await fireEvent.click(button("Reload"));
  expect(action).toHaveBeenCalledTimes(1);
  expect(other).not.toHaveBeenCalled();
  const disabled = () => ["Stop", "Reload", "Copy"].map((name) => button(name).getAttribute("aria-disabled"));
  expect(disabled()).toEqual(["true", "true", null]);
  end();
  await vi.waitFor(() => expect(disabled()).toEqual([null, null, null]));
  await fireEvent.click(button("Reload"));
  expect(other).toHaveBeenCalledTimes(1);
});
