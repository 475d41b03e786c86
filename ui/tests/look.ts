// Helpers for the tests of pages: they open a scene, and check it with axe in both themes.
import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** Opens a page of a scene whose clock stands still, so that nothing moves under the test. */
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

/** The text that was copied last, as the mock keeps it. */
export function copied(page: Page): Promise<string | null> {
  return page.locator("html").getAttribute("data-copied");
}
