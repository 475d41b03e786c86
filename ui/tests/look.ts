// Helpers for the tests of pages. They open a scene, and check it with axe in both themes.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

import type { MockDisk } from "../src/mock/manifest";

/** Opens a page of a scene. The clock of the scene stands still, so that nothing moves during the test. */
export async function open(page: Page, place: string, scene = "office"): Promise<void> {
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(`/?scene=${scene}&still${place}`);
  await expect(page.getByRole("main")).toBeVisible();
  await expect(page.getByText("NoRouter").first()).toBeVisible();
  await expect(page.getByRole("main").getByRole("heading", { level: 1 }).first()).toBeAttached();
  expect(errors).toEqual([]);
}

export async function expectAccessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
    const { violations, passes } = await new AxeBuilder({ page }).analyze();
    expect(passes.length).toBeGreaterThan(10);
    const found = violations.map((each) => `${each.id}: ${each.nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
    expect(found, colorScheme).toEqual([]);
  }
}

/** The last text that was copied, as the mock has stored it. */
export function copied(page: Page): Promise<string | null> {
  return page.locator("html").getAttribute("data-copied");
}

/** Saves the manifest with the key. A change that needs approval is shown first, and saved with the same key. */
export async function save(page: Page): Promise<void> {
  const disk = () => page.evaluate(() => (globalThis as unknown as { mockDisk: MockDisk }).mockDisk.read());
  const review = page.getByRole("dialog", { name: "Your changes" });
  const before = await disk();
  await page.keyboard.press("Control+s");
  // The message of an earlier save may still be shown, so the file tells whether the text was saved.
  await expect.poll(async () => (await review.isVisible()) || (await disk()) !== before).toBe(true);
  if (await review.isVisible()) {
    await expect(review.getByRole("button", { name: /^Save( and apply)?$/ })).toBeEnabled();
    await page.keyboard.press("Control+s");
    await expect.poll(disk).not.toBe(before);
  }
  await expect(page.getByText(/^Saved .*yaml$/).first()).toBeVisible();
}
