// The page without a mouse: where the focus goes, whether it can be seen, and whether Escape closes what Enter has
// opened.
import { expect, type Locator, type Page, test } from "@playwright/test";

import { open } from "./look";

type Stop = { region: string; what: string; seen: boolean; inside: boolean };

/** The element that has the focus; `null` at the end of the page. */
function stop(page: Page): Promise<Stop | null> {
  return page.evaluate(() => {
    const one = document.activeElement;
    if (one === null || one === document.body) {
      return null;
    }
    const box = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    // A long list draws its focus ring above its rows. For a field or an editor, an element around it draws the ring.
    const around = [one.parentElement, one.closest(".search, .editor, .table")].filter((each) => each !== null);
    const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim();
    const probe = document.createElement("i");
    probe.style.color = accent;
    document.body.append(probe);
    const ring = getComputedStyle(probe).color;
    probe.remove();
    const framed = around.some((each) => {
      const [own, after] = [getComputedStyle(each), getComputedStyle(each, "::after")];
      return (own.outlineStyle !== "none" && own.outlineColor === ring) || (after.borderTopStyle !== "none" && after.borderTopColor === ring);
    });
    const region = one.closest("nav") ? "nav" : one.closest("header") && !one.closest("main") ? "header" : one.closest(".notice") ? "notices" : one.closest("main") ? "main" : "skip";
    return {
      region,
      what: `${one.tagName} ${one.getAttribute("aria-label") ?? one.textContent?.trim().slice(0, 30) ?? ""}`,
      seen: one.matches(":focus-visible") && (outlined || framed),
      inside: box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight,
    };
  });
}

/** Presses Tab from the beginning of the page to its end. */
async function walk(page: Page): Promise<Stop[]> {
  const stops: Stop[] = [];
  for (let step = 0; step < 150; step += 1) {
    // An editor uses Tab itself. It says that Escape makes Tab leave the editor.
    if (await page.evaluate(() => document.activeElement?.closest(".cm-content") !== null && document.activeElement !== document.body)) {
      await page.keyboard.press("Escape");
    }
    await page.keyboard.press("Tab");
    const at = await stop(page);
    if (at === null) {
      return stops;
    }
    stops.push(at);
  }
  throw new Error(`the walk has no end: ${stops.slice(-5).map((one) => one.what).join(", ")}`);
}

const pages: [string, string][] = [
  ["#/network", "office"],
  ["#/flows", "office"],
  ["#/log", "office"],
  ["#/manifest?view=text", "office"],
  ["#/manifest?view=picture", "office"],
  ["#/policy", "ruled"],
  ["#/host/db", "asking"],
  ["#/host/container", "office"],
  ["#/welcome", "office"],
  ["#/machine", "noted"],
  ["#/settings", "office"],
  ["#/network", "consent"],
  ["#/network", "failure"],
  ["#/network", "first"],
];

for (const [place, scene] of pages) {
  test(`Tab goes through ${place} of ${scene} in order, and the focus is always seen`, async ({ page }) => {
    await open(page, place, scene);
    if (place === "#/manifest?view=text") {
      await expect(page.locator(".cm-line").first()).toBeVisible();
    }
    const stops = await walk(page);
    expect(stops[0]).toMatchObject({ region: "skip", what: "A Skip to content" });
    const order = ["skip", "nav", "header", "notices", "main"];
    const ranks = stops.map((one) => order.indexOf(one.region));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect(new Set(ranks).has(order.indexOf("main"))).toBe(true);
    expect(stops.filter((one) => !one.seen || !one.inside).map((one) => one.what)).toEqual([]);
  });
}

test("the list of hosts is walked with Tab, too", async ({ page }) => {
  await open(page, "#/network", "office");
  await page.keyboard.press("v");
  await expect(page.getByRole("table")).toBeVisible();
  const stops = await walk(page);
  expect(stops.filter((one) => !one.seen || !one.inside).map((one) => one.what)).toEqual([]);
  expect(stops.map((one) => one.what)).toEqual(expect.arrayContaining(["A laptop", "A gke"]));
});

/** Opens something with Enter, and closes it with Escape. Afterwards, the focus has to be where it was. */
async function opensAndCloses(page: Page, control: Locator, opened: Locator): Promise<void> {
  await control.focus();
  await page.keyboard.press("Enter");
  await expect(opened).toBeVisible();
  await expect(opened.locator(":focus")).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(opened).toBeHidden();
  await expect(control).toBeFocused();
}

test("Escape closes every dialog and menu that Enter has opened, and gives the focus back", async ({ page }) => {
  const dialog = page.getByRole("dialog");
  const banner = page.getByRole("banner");
  await open(page, "#/network", "office");
  await opensAndCloses(page, banner.getByRole("button", { name: "Search and commands" }), dialog);
  await opensAndCloses(page, banner.getByRole("button", { name: "Stop" }), dialog);
  await opensAndCloses(page, page.getByRole("button", { name: "Test a connection" }), dialog);
  await opensAndCloses(page, page.getByRole("button", { name: "Answer" }), dialog);
  await open(page, "#/host/web1", "office");
  const main = page.getByRole("main");
  await opensAndCloses(page, main.getByRole("button", { name: "Copy other formats of 127.0.42.101:8080" }), page.getByRole("menu"));
  await opensAndCloses(page, main.getByRole("button", { name: "Test 127.0.42.101:8080" }), dialog);
  await opensAndCloses(page, main.getByRole("button", { name: "Stop" }), dialog);
  await expect(page.getByRole("heading", { level: 1, name: "web1" })).toBeVisible();
  await open(page, "#/settings", "office");
  await opensAndCloses(page, main.getByRole("button", { name: "Show report" }), dialog);
  await open(page, "#/flows", "office");
  await opensAndCloses(page, main.getByRole("button", { name: "Close all" }), dialog);
});

test("a row of connections is chosen and opened by key, and Escape closes its details first", async ({ page }) => {
  await open(page, "#/flows", "office");
  const grid = page.getByRole("grid", { name: "Open connections" });
  await grid.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const details = page.getByRole("region", { name: "Details" });
  await expect(details).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(details).toBeHidden();
  await expect(grid).toBeFocused();
});

test("a button that goes away leaves the focus to the page, and Tab goes on there", async ({ page }) => {
  await open(page, "#/network", "office");
  await page.getByRole("banner").getByRole("button", { name: "Stop" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "office.yaml is not running" })).toBeVisible();
  await page.getByRole("button", { name: "Start network" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("[data-host]")).toHaveCount(7);
  await expect(page.getByRole("main")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("main").locator(":focus")).toHaveCount(1);
});
