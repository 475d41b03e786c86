// Everything fits into a small, a usual and a large window. Nothing sticks out, has two scroll bars, or is cut without
// need.
import { expect, type Page, test } from "@playwright/test";

import { open } from "./look";

const SIZES = [[900, 600], [1180, 780], [1920, 1080]] as const;

const places: [string, string][] = [
  ["#/network", "office"],
  ["#/network", "hosts-150"],
  ["#/network", "installs"],
  ["#/host/web1", "installs"],
  ["#/network", "consent"],
  ["#/network", "consent-many"],
  ["#/network", "first"],
  ["#/network", "stopped"],
  ["#/network", "failure"],
  ["#/host/db", "asking"],
  ["#/host/node-13-with-a-rather-long-name.eu-central-1.compute.example.internal", "many"],
  ["#/flows", "hosts-40"],
  ["#/log", "hosts-40"],
  ["#/manifest?view=text", "office"],
  ["#/manifest?view=picture", "office"],
  ["#/policy", "ruled"],
  ["#/machine", "noted"],
  ["#/settings", "office"],
  ["#/welcome", "office"],
];

/** The faults in the layout of a page, in words. */
function faults(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const told = (one: Element) => `${one.tagName} ${one.textContent?.trim().slice(0, 40) ?? ""}`;
    const doc = document.documentElement;
    const main = document.querySelector("main") as HTMLElement;
    if (doc.scrollHeight > doc.clientHeight || doc.scrollWidth > doc.clientWidth) {
      found.push("the window scrolls");
    }
    if (main.scrollWidth > main.clientWidth) {
      found.push("the page scrolls sideways");
    }
    const scrolls = (one: Element) => /auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1;
    // A block of output has its own scroll bar. Everything else on a page shares one scroll bar.
    const inner = [...main.querySelectorAll("*")].filter((one) => scrolls(one) && one.clientHeight > main.clientHeight / 2);
    if (inner.length + (scrolls(main) ? 1 : 0) > 1) {
      found.push(`two scroll bars: ${inner.map(told).join(", ")}`);
    }
    for (const one of document.querySelectorAll("h1, h2, nav a, header button, main button")) {
      const box = one.getBoundingClientRect();
      const style = getComputedStyle(one);
      if (box.width <= 1 || style.visibility === "hidden" || one.closest(".diagram, [role=grid], .cm-editor") !== null) {
        continue;
      }
      if (box.left < 0 || box.right > doc.clientWidth) {
        found.push(`out of the window: ${told(one)}`);
      }
      if (one.scrollWidth > one.clientWidth + 1 && style.display !== "inline") {
        found.push(`cut: ${told(one)}`);
      }
    }
    return found;
  });
}

for (const [width, height] of SIZES) {
  test(`nothing sticks out, scrolls twice or is cut at ${width}x${height}`, async ({ page }) => {
    test.slow();
    await page.setViewportSize({ width, height });
    for (const [place, scene] of places) {
      await open(page, place, scene);
      expect(await faults(page), `${scene} ${place}`).toEqual([]);
    }
    await open(page, "#/network", "hosts-150");
    await page.keyboard.press("v");
    await expect(page.getByRole("table")).toBeVisible();
    expect(await faults(page), "the list").toEqual([]);
  });

  test(`the name of a connection is whole at ${width}x${height}, and what stands beside it is whole or left out`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    for (const show of ["Open now", "Recent"]) {
      await open(page, "#/flows", "hosts-40");
      await page.getByRole("button", { name: show }).click();
      const cells = page.locator("[role=row][data-key] .both");
      await expect(cells.first()).toBeVisible();
      expect(await cells.count()).toBeGreaterThan(20);
      const cut = () => cells.evaluateAll((all) =>
        all.flatMap((cell) => {
          const box = cell.getBoundingClientRect();
          const [name, beside] = cell.children;
          const isCut = name !== undefined && name.scrollWidth > name.clientWidth && (name.textContent ?? "").length <= 16;
          const second = beside?.getBoundingClientRect();
          const isHalf = second !== undefined && second.top < box.bottom - 1 && second.right > box.right + 1;
          return isCut || isHalf ? [cell.textContent] : [];
        }),
      );
      // The typefaces may not be loaded yet.
      await expect.poll(cut, show).toEqual([]);
    }
  });

  test(`the list cuts no name and no reason to a few letters at ${width}x${height}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await open(page, "#/network", "hosts-40");
    await page.keyboard.press("v");
    const names = page.getByRole("table").locator("td.name a");
    await expect(names).toHaveCount(40);
    const cut = await names.evaluateAll((all) => all.filter((name) => name.scrollWidth > name.clientWidth).map((name) => (name.textContent ?? "").length));
    expect(cut.filter((length) => length <= 24 || width >= 1920)).toEqual([]);
    const reasons = await page.locator("td.state .why").evaluateAll((all) => all.map((one) => one.clientWidth));
    expect(reasons.length).toBeGreaterThan(0);
    expect(reasons.filter((room) => room > 0 && room < 80)).toEqual([]);
  });
}

test("a long name of a host is whole on its page", async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  const name = "node-13-with-a-rather-long-name.eu-central-1.compute.example.internal";
  await open(page, `#/host/${name}`, "many");
  const heading = page.getByRole("heading", { level: 1, name });
  await expect(heading).toBeVisible();
  expect(await heading.evaluate((one) => one.scrollWidth - one.clientWidth)).toBeLessThanOrEqual(0);
});

for (const [width, height] of SIZES) {
  test(`the titles of groups are whole and can be read at ${width}x${height}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await open(page, "#/network", "hosts-150");
    await page.getByLabel("Group hosts").selectOption("By name");
    const titles = page.locator(".stage button strong");
    await expect(titles).toHaveCount(8);
    const found = await titles.evaluateAll((all) =>
      all.map((title) => ({
        cut: title.scrollWidth > title.clientWidth,
        px: parseFloat(getComputedStyle(title).fontSize) * (title.getBoundingClientRect().height / (title as HTMLElement).offsetHeight),
      })),
    );
    expect(found.filter((title) => title.cut)).toEqual([]);
    expect(Math.min(...found.map((title) => title.px))).toBeGreaterThanOrEqual(9);
  });
}
