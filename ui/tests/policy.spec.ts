// The policy page in a real browser.
import { expect, type Page, test } from "@playwright/test";

import { expectAccessible, open } from "./look";

const grid = (page: Page) => page.getByRole("grid", { name: "Who can reach what" });

test("the matrix and the rules have no fault that axe can find, in both themes", async ({ page }) => {
  await open(page, "#/policy", "ruled");
  await expect(page.getByRole("heading", { level: 1, name: "Policy" })).toBeVisible();
  await expect(grid(page).getByRole("rowheader", { name: "laptop" })).toBeVisible();
  await expect(page.getByRole("table", { name: "Rules" }).getByRole("row")).toHaveCount(4);
  await expectAccessible(page);
});

test("arrow keys move in the matrix, and the cell is told in a sentence", async ({ page }) => {
  await open(page, "#/policy", "ruled");
  const says = page.getByRole("region", { name: "Who can reach what" }).getByRole("status");
  await grid(page).getByRole("gridcell").first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(says).toHaveText("web1 cannot reach laptop: the rest is denied by default.");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(says).toHaveText("web1 can reach 5432 on db: the rest is denied by default.");
  await page.keyboard.press("Control+Home");
  await expect(says).toHaveText("laptop reaches this directly.");
  await page.keyboard.press("ArrowUp");
  await expect(says).toHaveText("laptop reaches this directly.");
  await page.keyboard.press("Control+End");
  await expect(says).toHaveText("gke reaches this directly.");
  // The whole grid has only one tab stop.
  await expect(grid(page).locator("td[tabindex='0']")).toHaveCount(1);
});

test("a rule that denies is named", async ({ page }) => {
  await open(page, "#/policy", "ruled");
  const row = grid(page).getByRole("row", { name: /^build/ });
  await row.getByRole("gridcell").last().click();
  await expect(page.getByText("build cannot reach *.svc.cluster.local via gke: rule 2 denies the rest.")).toBeVisible();
});

test("a host shows what it can reach, and who can reach it", async ({ page }) => {
  await open(page, "#/host/db", "ruled");
  const access = page.getByRole("region", { name: "Access" });
  await expect(access.getByText("nothing", { exact: true })).toBeVisible();
  await expect(access.getByRole("list", { name: "Reachable by" }).getByRole("listitem").first()).toContainText("laptop");
  await expectAccessible(page);
  await access.getByRole("link", { name: "Open the policy" }).click();
  await expect(grid(page)).toBeVisible();
});

test("a network without a policy says what that means", async ({ page }) => {
  await open(page, "#/network");
  await page.keyboard.press("Control+5");
  await expect(page.getByRole("heading", { level: 1, name: "No restrictions" })).toBeVisible();
  await expectAccessible(page);
  await open(page, "#/host/db");
  await expect(page.getByRole("region", { name: "Published ports" })).toBeVisible();
  await expect(page.getByRole("region", { name: "Access" })).toHaveCount(0);
});

test("a narrow window cuts nothing off", async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await open(page, "#/policy", "ruled");
  await expect(grid(page)).toBeVisible();
  const wide = await page.evaluate(() => [document.documentElement, document.querySelector("main")].map((one) => (one ? one.scrollWidth - one.clientWidth : 1)));
  expect(wide).toEqual([0, 0]);
});
