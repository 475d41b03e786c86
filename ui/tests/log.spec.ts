// The log page in a real browser.
import { expect, type Page, test } from "@playwright/test";
import type { MockLog } from "../src/mock/log";
import { copied, expectAccessible } from "./look";

const list = (page: Page) => page.getByRole("log");

async function open(page: Page, query = "log=400"): Promise<void> {
  await page.goto(`/?still&${query}#/log`);
  await expect(list(page)).toBeVisible();
}

function say(page: Page, text: string): Promise<void> {
  return page.evaluate((text) => (globalThis as unknown as { mockLog: MockLog }).mockLog.say(text), text);
}

test("the end is followed until somebody scrolls away, and again on demand", async ({ page }) => {
  await open(page);
  await say(page, "the first new line");
  await expect(page.getByText("the first new line")).toBeInViewport();
  await list(page).hover();
  await page.mouse.wheel(0, -600);
  await expect(page.getByRole("button", { name: "Jump to latest" })).toBeVisible();
  await say(page, "the second new line");
  await say(page, "the third new line");
  await expect(page.getByText("the third new line")).toHaveCount(0);
  await page.getByRole("button", { name: "2 new lines" }).click();
  await expect(page.getByText("the third new line")).toBeInViewport();
  await expect(page.getByRole("button", { name: /new line|Jump to latest/ })).toBeHidden();
});

test("a search marks its hits in context and goes from one to the next", async ({ page }) => {
  await open(page);
  await say(page, "a needle in the haystack");
  await page.keyboard.press("/");
  await page.keyboard.type("needle");
  await expect(page.locator("mark")).toHaveText(["needle"]);
  await expect(page.getByText("1 match")).toBeVisible();
  await page.keyboard.press("Control+A");
  await page.keyboard.type("resolver");
  const all = await page.getByText(/^\d+ matches$/).textContent();
  await page.keyboard.press("Enter");
  await expect(page.getByText(`1 of ${parseInt(all ?? "", 10)}`).or(page.getByText(/^\d+ of \d+$/))).toBeVisible();
  const first = await page.locator(".current").textContent();
  await page.keyboard.press("Shift+Enter");
  await expect(page.locator(".current")).toBeInViewport();
  expect(await page.locator(".current").textContent()).not.toBe(first);
  await page.getByRole("button", { name: "Only matching lines" }).click();
  await expect(list(page).locator(".line:not(.gap):not(:has(mark))")).toHaveCount(0);
});

test("an expression that is wrong is told, and hides nothing", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Regular expression" }).click();
  await page.getByLabel("Search the log").fill("(dialled");
  await expect(page.getByText("Invalid regular expression")).toBeVisible();
  await expect(page.getByLabel("Search the log")).toHaveAttribute("aria-invalid", "true");
  await expect(list(page).locator(".line").first()).toBeVisible();
  await page.getByLabel("Search the log").fill("dial+ed .* in [\\d.]+ ms");
  await expect(page.locator("mark").first()).toHaveText(/^dialled .* ms$/);
});

test("host and level choose the lines", async ({ page }) => {
  await open(page);
  await page.getByLabel("Host").selectOption("db");
  await expect(page.locator(".host").filter({ hasNotText: /^db$/ })).toHaveCount(0);
  await page.getByLabel("Level").selectOption("Warnings and errors");
  await expect(page.locator(".is-output, .is-info")).toHaveCount(0);
  await page.getByLabel("Search the log").fill("no such words");
  await page.getByRole("button", { name: "Only matching lines" }).click();
  await page.getByRole("button", { name: "Show all lines" }).click();
  await expect(page.locator(".is-output").first()).toBeVisible();
});

test("missing lines are shown as missing", async ({ page }) => {
  await open(page, "log=0");
  await page.evaluate(() => (globalThis as unknown as { mockLog: MockLog }).mockLog.lose(41));
  await say(page, "after the gap");
  await expect(page.getByText("41 lines skipped")).toBeVisible();
});

test("clearing empties the view only", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Clear", exact: true }).click();
  await expect(page.getByText("The view is cleared")).toBeVisible();
  await say(page, "a line after that");
  await expect(list(page).locator(".line")).toHaveCount(1);
  await page.getByRole("button", { name: "Show cleared lines" }).click();
  expect(await list(page).locator(".line").count()).toBeGreaterThan(10);
});

test("long lines are wrapped, or scrolled to", async ({ page }) => {
  await open(page);
  const long = `${"0123456789".repeat(60)} end`;
  await say(page, long);
  const row = list(page).locator(".line").last();
  expect((await row.boundingBox())?.height).toBe(20);
  expect(await list(page).evaluate((list) => list.scrollWidth > list.clientWidth)).toBe(true);
  await page.getByLabel("Wrap").check();
  await expect.poll(async () => (await row.boundingBox())?.height).toBeGreaterThan(60);
  expect(await list(page).evaluate((list) => list.scrollWidth <= list.clientWidth)).toBe(true);
  await expect(row).toContainText("end");
  await expect(row).toBeInViewport({ ratio: 1 });
});

test("5,000 lines scroll without a blank one, wrapped too", async ({ page }) => {
  await open(page, "log=5000");
  for (const wrap of [false, true]) {
    await page.getByLabel("Wrap").setChecked(wrap);
    const blanks = await list(page).evaluate(async (list) => {
      const box = list.getBoundingClientRect();
      let blanks = 0;
      let looks = 0;
      for (let step = 0; step <= 40; step += 1) {
        list.scrollTop = ((list.scrollHeight - list.clientHeight) * ((step * 17) % 41)) / 40;
        await new Promise((done) => requestAnimationFrame(done));
        for (let y = box.top + 10; y < box.top + list.clientHeight - 4; y += 10) {
          looks += 1;
          blanks += document.elementFromPoint(box.left + 40, y)?.closest(".line") ? 0 : 1;
        }
      }
      return { blanks, looks };
    });
    expect(blanks.looks).toBeGreaterThan(1_000);
    expect(blanks.blanks).toBe(0);
  }
});

test("the log file is named, whole for the pointer and the clipboard, and only if the app writes one", async ({ page }) => {
  const path = "/home/ada/.local/state/norouter/logs/office.log";
  await open(page, "log=20");
  await expect(page.getByText("Log file")).toBeVisible();
  await expect(page.getByTitle(path)).toBeVisible();
  await page.getByRole("button", { name: "Copy the path of the log file" }).click();
  await expect.poll(() => copied(page)).toBe(path);
  await open(page, "scene=attached");
  await expect(page.getByText("Log file")).toHaveCount(0);
});

test("nothing keeps anybody out, light or dark", async ({ page }) => {
  test.slow();
  await open(page);
  await page.getByLabel("Search the log").fill("dialled");
  await page.keyboard.press("Enter");
  await expect(page.locator(".current")).toBeVisible();
  await expectAccessible(page);
});

test("a line that is repeated is shown once with its number, and all of them on demand", async ({ page }) => {
  await open(page);
  for (let n = 0; n < 27; n += 1) {
    await say(page, "connect to db: connection refused");
  }
  const line = list(page).locator(".line").filter({ hasText: "connect to db: connection refused" });
  await expect(line).toHaveCount(1);
  await expect(line).toContainText("× 27");
  await page.getByLabel("Fold repeats").uncheck();
  expect(await line.count()).toBeGreaterThan(20);
});

test("lines have dates, whole names and a menu", async ({ page }) => {
  await page.goto("/?still&scene=hosts-40&log=100#/log");
  await expect(list(page).locator("time").first()).toContainText(/^[A-Z][a-z]{2}.\d+ +\d\d:\d\d:\d\d\.\d{3}$/);
  const name = list(page).locator(".host").filter({ hasText: "prod-us-queue-0" }).first();
  expect(await name.evaluate((cell) => cell.scrollWidth - cell.clientWidth)).toBe(0);
  const line = list(page).locator(".line").filter({ has: page.locator(".host", { hasText: "lab-0" }) }).last();
  await line.click({ button: "right" });
  await page.getByRole("menuitem", { name: /^Show only lab-0/ }).click();
  await expect(page.locator(".host").filter({ hasNotText: "lab-0" })).toHaveCount(0);
});
