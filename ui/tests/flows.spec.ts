// The flows page in a real browser.
import { expect, type Page, test } from "@playwright/test";
import { expectAccessible } from "./look";

const rows = (page: Page) => page.locator("[role=row][data-key]");
const grid = (page: Page) => page.getByRole("grid", { name: "Open connections" });

async function open(page: Page, query = "flows=64"): Promise<void> {
  await page.goto(`/?still&${query}#/flows`);
  await expect(rows(page).first()).toBeVisible();
}

test("10,000 rows scroll without a blank row", async ({ page }) => {
  test.slow();
  await open(page, "flows=10000");
  await expect(grid(page)).toHaveAttribute("aria-rowcount", "10001");
  const blanks = await grid(page).evaluate(async (grid) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const box = grid.getBoundingClientRect();
    const end = grid.scrollHeight - grid.clientHeight;
    let blanks = 0;
    let looks = 0;
    const look = () => {
      // Every place of the window where a row should be has to show a row with text.
      for (let y = box.top + 45; y < box.top + grid.clientHeight - 4; y += 30) {
        looks += 1;
        const row = document.elementFromPoint(box.left + 60, y)?.closest("[data-key]");
        blanks += row?.textContent?.trim() ? 0 : 1;
      }
    };
    for (let step = 0; step <= 40; step += 1) {
      grid.scrollTop = (end * ((step * 17) % 41)) / 40;
      // The places are checked twice: once before the page could react, as in the middle of fast scrolling, and once
      // after that.
      look();
      await frame();
      look();
    }
    return { blanks, looks };
  });
  expect(blanks.looks).toBeGreaterThan(1_000);
  expect(blanks.blanks).toBe(0);
  await grid(page).evaluate((grid) => (grid.scrollTop = grid.scrollHeight));
  await expect(rows(page).last()).toHaveAttribute("aria-rowindex", "10001");
  expect(await rows(page).count()).toBeLessThan(60);
});

test("every column is whole in a window of the usual width", async ({ page }) => {
  for (const width of [1120, 1180, 1400]) {
    await page.setViewportSize({ width, height: 760 });
    await open(page);
    const edge = await grid(page).evaluate((grid) => grid.getBoundingClientRect().right);
    const rights = await page
      .locator("[role=columnheader] button, [role=row][data-key] > :last-child")
      .evaluateAll((cells) => cells.map((cell) => cell.getBoundingClientRect().right));
    expect(rights.length, `at ${width}`).toBeGreaterThan(20);
    expect(Math.max(...rights), `at ${width}`).toBeLessThanOrEqual(edge);
    const numbers = page.locator("[role=row][data-key] > .number");
    expect(await numbers.count(), `at ${width}`).toBeGreaterThan(50);
    const spill = await numbers.evaluateAll((cells) => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent));
    expect(spill, `at ${width}`).toEqual([]);
  }
});

test("the table is used by keyboard alone", async ({ page }) => {
  await open(page);
  await page.keyboard.press("/");
  await expect(page.getByLabel("Filter connections")).toBeFocused();
  await page.keyboard.type("host:web1 -dns");
  await page.keyboard.press("Enter");
  await expect(grid(page)).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const selected = page.locator("[role=row][aria-selected=true]");
  await expect(selected).toHaveAttribute("aria-rowindex", "3");
  expect(await grid(page).getAttribute("aria-activedescendant")).toBe(await selected.getAttribute("id"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Details" })).toBeVisible();
  await page.keyboard.press("End");
  await expect(selected).toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("region", { name: "Details" })).toBeHidden();
  const before = Number(await grid(page).getAttribute("aria-rowcount"));
  await page.keyboard.press("Delete");
  await expect(page.getByText(/^Closed /)).toBeVisible();
  // The row stays for a while. It is grey, and says that the flow has ended.
  await expect(grid(page)).toHaveAttribute("aria-rowcount", String(before));
  await expect(selected).toContainText("ended");
});

test("the details of the lowest row in sight do not cover it", async ({ page }) => {
  await open(page);
  await grid(page).focus();
  await page.keyboard.press("PageDown");
  await page.keyboard.press("PageDown");
  const selected = page.locator("[role=row][aria-selected=true]");
  await expect(selected).toBeInViewport();
  const row = await selected.getAttribute("aria-rowindex");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Details" })).toBeVisible();
  await expect(selected).toBeInViewport({ ratio: 0.9 });
  await expect(selected).toHaveAttribute("aria-rowindex", row ?? "");
});

test("columns sort, and say so", async ({ page }) => {
  await open(page);
  const age = page.getByRole("columnheader", { name: "Age" });
  await age.getByRole("button").click();
  await expect(age).toHaveAttribute("aria-sort", "ascending");
  await age.getByRole("button").click();
  await expect(age).toHaveAttribute("aria-sort", "descending");
  await expect(page.getByRole("columnheader", { name: "In" })).toHaveAttribute("aria-sort", "none");
});

test("a row's menu filters, copies and leads to the explanation", async ({ page }) => {
  await open(page);
  await rows(page).first().click({ button: "right" });
  const menu = page.getByRole("menu");
  await expect(menu.getByRole("menuitem").first()).toBeFocused();
  await menu.getByRole("menuitem", { name: /^Hide web1$|^Hide laptop$/ }).first().click();
  await expect(menu).toBeHidden();
  await expect(page.getByLabel("Filter connections")).toHaveValue(/^-host:/);
  await rows(page).first().click();
  await rows(page).first().getByRole("button").click();
  await page.keyboard.press("Escape");
  await expect(menu).toBeHidden();
});

test("the rule of a flow is told, and chosen in its details", async ({ page }) => {
  await open(page);
  await page.getByLabel("Filter connections").fill("to:10.20.4.17");
  await expect(rows(page).first()).toContainText("10.20.0.0/16");
  await rows(page).first().dblclick();
  const details = page.getByRole("region", { name: "Details" });
  await expect(details).toContainText("via bastion");
  await page.getByLabel("Filter connections").fill("");
  const rule = details.getByRole("button", { name: "10.20.0.0/16" });
  await expect(rule).toHaveAttribute("aria-pressed", "false");
  await rule.click();
  await expect(page.getByLabel("Filter connections")).toHaveValue("rule:10.20.0.0/16");
  await expect(rule).toHaveAttribute("aria-pressed", "true");
  await expect(rows(page).filter({ hasText: "10.20.0.0/16" })).toHaveCount(await rows(page).count());
  await expect(grid(page)).not.toHaveAttribute("aria-rowcount", "65");
  await expectAccessible(page);
  await rule.click();
  await expect(page.getByLabel("Filter connections")).toHaveValue("");
});

test("flows that follow no route say so, and are left out by it", async ({ page }) => {
  await open(page);
  const published = rows(page).filter({ hasText: "published port" });
  await published.first().click({ button: "right" });
  await page.getByRole("menuitem", { name: "Show only published port" }).click();
  await expect(page.getByLabel("Filter connections")).toHaveValue('"rule:published port"');
  await expect(published).toHaveCount(await rows(page).count());
  await page.getByLabel("Filter connections").fill('-"rule:published port"');
  await expect(published).toHaveCount(0);
  await expect(rows(page).first()).toBeVisible();
  const heads = page.getByRole("columnheader", { name: "Rule" });
  await heads.getByRole("button").click();
  await expect(heads).toHaveAttribute("aria-sort", "ascending");
  await expect(rows(page).first()).toContainText("*.corp.example");
});

test("what is filtered is closed after a question with its count", async ({ page }) => {
  await open(page);
  await page.getByLabel("Filter connections").fill("host:db");
  await page.getByRole("button", { name: "Close these" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toContainText(/Close \d+ connections\?/);
  await expect(dialog).toContainText("host:db");
  await dialog.getByRole("button", { name: /^Close \d+ connections$/ }).click();
  await expect(page.getByText(/^Closed \d+ connections$/)).toBeVisible();
  await expect(page.getByRole("button", { name: "Close these" })).toBeDisabled();
});

test("a filter is kept, used and forgotten, also over a new start", async ({ page }) => {
  await open(page);
  await page.getByLabel("Filter connections").fill("state:open -dns");
  await page.getByRole("button", { name: "Save filter" }).click();
  await page.reload();
  await page.getByRole("button", { name: "state:open -dns", exact: true }).click();
  await expect(page.getByLabel("Filter connections")).toHaveValue("state:open -dns");
  await page.getByRole("button", { name: "Delete filter state:open -dns" }).click();
  await expect(page.getByRole("list", { name: "Saved filters" })).toBeHidden();
});

test("a word that is not understood is told and lets everything through", async ({ page }) => {
  await open(page);
  await page.getByLabel("Filter connections").fill("port:http");
  await expect(page.getByText("Ignored: port:http")).toBeVisible();
  await expect(grid(page)).toHaveAttribute("aria-rowcount", "65");
});

test("flows are asked for only while they are looked at", async ({ page }) => {
  await page.clock.install();
  await page.addInitScript(() => {
    const window = globalThis as unknown as { asked: number };
    window.asked = 0;
    const parse = structuredClone;
    globalThis.structuredClone = (value: unknown) => {
      if (Array.isArray(value) && (value[0] as { bytesFrom?: number } | undefined)?.bytesFrom !== undefined) {
        window.asked += 1;
      }
      return parse(value);
    };
  });
  const asked = () => page.evaluate(() => (globalThis as unknown as { asked: number }).asked);
  await open(page);
  await expect.poll(asked).toBeGreaterThan(1);
  await page.getByRole("button", { name: "Pause" }).click();
  const paused = await asked();
  await page.clock.runFor(5_000);
  expect(await asked()).toBe(paused);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(asked).toBeGreaterThan(paused);
  await page.getByRole("link", { name: "Log" }).click();
  await expect(page.getByRole("log")).toBeVisible();
  const left = await asked();
  await page.clock.runFor(5_000);
  expect(await asked()).toBe(left);
});

test("a table in which nothing changes is not touched", async ({ page }) => {
  await page.clock.install();
  await open(page);
  await page.clock.runFor(3_000);
  await page.evaluate(() => {
    const seen: string[] = [];
    const observer = new MutationObserver((all) => seen.push(...all.map((one) => `${one.type} ${one.target.nodeName}`)));
    observer.observe(document.querySelector("main") as Node, { subtree: true, childList: true, attributes: true, characterData: true });
    Object.assign(globalThis, { seen });
  });
  await page.clock.runFor(5_000);
  expect(await page.evaluate(() => (globalThis as unknown as { seen: string[] }).seen)).toEqual([]);
});

test("nothing keeps anybody out, light or dark", async ({ page }) => {
  test.slow();
  await open(page, "flows=24");
  await page.getByLabel("Filter connections").fill("port:http host:db");
  await page.getByRole("button", { name: "Save filter" }).click();
  await rows(page).nth(2).click();
  await grid(page).press("Delete");
  await grid(page).press("Enter");
  await expect(page.getByRole("region", { name: "Details" })).toBeVisible();
  await expectAccessible(page);
  await rows(page).nth(1).click({ button: "right" });
  await expect(page.getByRole("menu")).toBeVisible();
  await expectAccessible(page);
});

test("connections that have ended are listed with their outcome, and found by it", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Recent" }).click();
  const recent = page.getByRole("grid", { name: "Recent connections" });
  await expect(recent).toHaveAttribute("aria-rowcount", "65");
  await expect(rows(page).first()).toContainText("ago");
  await expect(page.getByRole("columnheader", { name: "Ended" })).toHaveAttribute("aria-sort", "descending");
  await page.getByLabel("Filter connections").fill("state:refused");
  await expect(rows(page).first()).toContainText("refused");
  await expect(rows(page).filter({ hasText: "refused" })).toHaveCount(await rows(page).count());
  await rows(page).first().dblclick();
  await expect(page.getByRole("region", { name: "Details" })).toContainText("The destination refused the connection, or its host could not connect to it.");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Open now" }).click();
  await expect(page.getByText("No matching connections")).toBeVisible();
});

test("rows hold still under the pointer, and are sorted again when it leaves", async ({ page }) => {
  await page.clock.install();
  await page.goto("/?flows=64#/flows");
  await expect(rows(page).first()).toBeVisible();
  const keys = () => rows(page).evaluateAll((all) => all.slice(0, 12).map((row) => (row as HTMLElement).dataset["key"]));
  await rows(page).nth(3).hover();
  const held = await keys();
  const figures = await rows(page).nth(0).textContent();
  await page.clock.runFor(6_000);
  await expect(rows(page).nth(0)).not.toHaveText(figures ?? "");
  expect(await keys()).toEqual(held);
  await page.mouse.move(5, 5);
  await page.clock.runFor(3_000);
  await expect.poll(keys).not.toEqual(held);
});

test("a menu stays open when the button is released outside of it, and a press elsewhere closes it", async ({ page }) => {
  await open(page);
  const box = await rows(page).nth(2).boundingBox();
  await page.mouse.move((box?.x ?? 0) + 200, (box?.y ?? 0) + 10);
  // WebKitGTK opens a menu when the button is pressed. The button is released after that.
  await rows(page).nth(2).dispatchEvent("contextmenu", { button: 2, clientX: 400, clientY: 300 });
  await page.mouse.down({ button: "right" });
  await page.getByRole("menu").waitFor();
  await page.mouse.up({ button: "right" });
  await expect(page.getByRole("menu")).toBeVisible();
  await page.mouse.click(20, 600);
  await expect(page.getByRole("menu")).toBeHidden();
});

test("the menu key opens the menu of the selected row, and a field has the menu of the browser", async ({ page }) => {
  await open(page);
  await rows(page).nth(1).click();
  await page.keyboard.press("Shift+F10");
  await expect(page.getByRole("menu", { name: /^Actions for / })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(grid(page)).toBeFocused();
  const kept = (selector: string) =>
    page.locator(selector).evaluate((field) => field.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true, cancelable: true, button: 2 })));
  expect(await kept("input")).toBe(true);
  expect(await kept("h1")).toBe(false);
});

test("an empty table is no higher than the window", async ({ page }) => {
  await open(page);
  const title = page.getByRole("heading", { level: 1 });
  const before = await title.boundingBox();
  await page.getByLabel("Filter connections").fill("no such words");
  await expect(page.getByText("No matching connections")).toBeVisible();
  expect(await title.boundingBox()).toEqual(before);
  expect(await page.getByRole("main").evaluate((main) => main.scrollHeight - main.clientHeight)).toBe(0);
});

test("a narrow window leaves out columns that the details have, and cuts no other", async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await open(page);
  for (const kind of ["Open now", "Recent"]) {
    await page.getByRole("button", { name: kind }).click();
    await expect(rows(page).first()).toBeVisible();
    expect(await page.getByRole("grid").evaluate((grid) => grid.scrollWidth - grid.clientWidth), kind).toBe(0);
  }
});
