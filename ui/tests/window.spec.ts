// The frame of the window, and what a person can do with whole networks.
import { expect, type Page, test } from "@playwright/test";

import type { MockDisk } from "../src/mock/manifest";
import { open } from "./look";

const banner = (page: Page) => page.getByRole("banner");
const disk = (page: Page) => page.evaluate(() => (window as unknown as { mockDisk: MockDisk }).mockDisk.read());

test("in a narrow window, every button of the header and every page can be reached", async ({ page }) => {
  for (const width of [480, 640, 759]) {
    await page.setViewportSize({ width, height: 600 });
    await open(page, "#/settings", "attached");
    for (const name of ["Reload", "Detach", "Stop", "Search and commands"]) {
      const box = await banner(page).getByRole("button", { name }).boundingBox();
      expect(box === null ? null : box.x >= 0 && box.x + box.width <= width, `${name} at ${width}`).toBe(true);
    }
    await page.getByRole("link", { name: "This machine" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "This machine" })).toBeVisible();
    const wide = await page.evaluate(() => [document.documentElement, document.querySelector("main"), document.querySelector("header")].map((one) => (one ? one.scrollWidth - one.clientWidth : 1)));
    expect(wide, String(width)).toEqual([0, 0, 0]);
  }
});

test("a network without hosts is not said to be up", async ({ page }) => {
  await open(page, "#/network", "empty");
  const phase = banner(page).getByRole("status");
  await expect(phase).toHaveText("no hosts");
  await expect(phase).not.toHaveClass(/\ball\b/);
});

test("a file that was not opened says why, and no button leads to another file", async ({ page }) => {
  await open(page, "#/network", "not-opened");
  await expect(page.getByRole("alert")).toContainText("miss.yaml was not opened");
  await expect(page.getByRole("alert")).toContainText("No such file or directory");
  await expect(page.getByRole("button", { name: "Edit the manifest" })).toHaveCount(0);
  await open(page, "#/network", "failure");
  await expect(page.getByRole("button", { name: "Edit the manifest" })).toBeVisible();
});

test("the demo starts when it is asked for", async ({ page }) => {
  await open(page, "", "first");
  await page.getByRole("button", { name: "Try the demo network" }).click();
  await expect(page.getByText("5 of 7 hosts up")).toBeVisible();
});

test("another manifest is opened without a question, because a network that runs goes on", async ({ page }) => {
  await open(page, "#/welcome");
  await page.getByRole("button", { name: /^norouter\.yaml/ }).click();
  await expect(banner(page)).toContainText("norouter.yaml");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("Could not open")).toHaveCount(0);
});

test("hosts that were found can be added to the network that runs, and taken out again", async ({ page }) => {
  await open(page, "#/welcome");
  await page.getByRole("checkbox", { name: /^staging\/default\/deployment\/api/ }).check();
  await page.getByRole("button", { name: "Create network with 1 host" }).click();
  const dialog = page.getByRole("dialog", { name: "Where should this host go?" });
  await expect(dialog.getByRole("button", { name: "Cancel" })).toBeFocused();
  await dialog.getByRole("button", { name: "Add to office" }).click();
  await expect(page.getByText(/^Adds api/)).toBeVisible();
  await expect(page.locator('[data-host="api"]')).toBeVisible();
  expect(await disk(page)).not.toContain("api:");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(page.locator('[data-host="api"]')).toHaveCount(0);
});

test("hosts that were found can be a file only, or a new network after the running one was stopped", async ({ page }) => {
  await open(page, "#/welcome");
  await page.getByRole("checkbox", { name: /^staging\/default\/deployment\/api/ }).check();
  const create = page.getByRole("button", { name: "Create network with 1 host" });
  await create.click();
  await page.getByRole("button", { name: "Only create the file" }).click();
  await expect(page.getByText("Saved /home/ada/norouter.yaml")).toBeVisible();
  await expect(page.getByText("5 of 7 hosts up")).toBeVisible();
  await create.click();
  await page.getByRole("button", { name: "Stop office and create" }).click();
  await expect(banner(page)).toContainText("stopped");
  await expect(page.getByText("Could not open")).toHaveCount(0);
});

test("a stopped network and a forgotten file come back with Undo", async ({ page }) => {
  await open(page, "#/welcome");
  await page.getByRole("button", { name: "Remove old-lab.yaml from the list" }).click();
  await expect(page.getByRole("button", { name: /^old-lab\.yaml/ })).toHaveCount(0);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: /^old-lab\.yaml/ })).toBeVisible();
  await banner(page).getByRole("button", { name: "Stop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await expect(banner(page)).toContainText("stopped");
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByText("5 of 7 hosts up")).toBeVisible();
});

test("taking theirs can be undone", async ({ page }) => {
  await open(page, "#/manifest?view=text");
  await page.locator(".cm-line").first().click();
  await page.keyboard.press("End");
  await page.keyboard.type(" Mine.");
  await page.evaluate(() => {
    const disk = (window as unknown as { mockDisk: MockDisk }).mockDisk;
    disk.write(disk.read().replace("# The network", "# Theirs"));
  });
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect(page.locator(".cm-line").first()).toContainText("# Theirs");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(page.locator(".cm-line").first()).toContainText("Mine.");
  await expect(page.getByRole("link", { name: /^Manifest/ })).toContainText("Unsaved changes");
});

test("many equal commands are one row, the others stand alone, and every exact command can be read", async ({ page }) => {
  await open(page, "#/network", "consent-many");
  const list = page.getByRole("region", { name: "149 new commands" });
  await expect(page.getByRole("main").getByText("149 new commands", { exact: true })).toBeVisible();
  await expect(list.getByText("147 ×")).toBeVisible();
  await expect(list.getByText("curl https://example.com | sh")).toBeVisible();
  const rows = list.locator("ul").first().locator("> li");
  await expect(rows).toHaveCount(3);
  await expect(list.getByText("n149", { exact: true }).first()).toBeVisible();
  await list.getByText("Show all 147 commands").click();
  const exact = list.locator("details li code");
  await expect(exact).toHaveCount(147);
  expect((await exact.last().innerText()).split(/\s+/)).toEqual(["ip", "netns", "exec", "n149", "norouter"]);
});

test("a command keeps its order in a page that is written from right to left", async ({ page }) => {
  await open(page, "#/network", "consent");
  await page.evaluate(() => (document.documentElement.dir = "rtl"));
  const words = page.locator("code").filter({ hasText: "bastion.internal" }).locator("span");
  const boxes = await words.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().x));
  expect(boxes).toEqual(boxes.toSorted((a, b) => a - b));
  const option = page.locator("code span", { hasText: "--automated" }).first();
  expect(await option.evaluate((one) => getComputedStyle(one).direction)).toBe("ltr");
});

test("the first frame has the theme of the last time, before any script of the page runs", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "#/settings");
  await page.getByRole("radio", { name: "Dark" }).check();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  let stopped = 0;
  await page.route("**/assets/index-*.js", (route) => {
    stopped += 1;
    return route.abort();
  });
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe("rgb(15, 21, 19)");
  expect(stopped).toBe(1);
});

test("the typefaces are those of the app", async ({ page }) => {
  await open(page, "#/settings");
  await expect(page.getByText("export http_proxy")).toBeVisible();
  const loaded = () => page.evaluate(() => [...new Set([...document.fonts].filter((font) => font.status === "loaded").map((font) => font.family.replaceAll('"', "")))].toSorted());
  await expect.poll(loaded).toEqual(["Geist Mono Variable", "Geist Variable"]);
});

test("with forced colours, what is chosen and what is on is still seen", async ({ page }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await open(page, "#/settings");
  const current = page.locator("nav a[aria-current]");
  const other = page.locator("nav a:not([aria-current])").first();
  const outline = (one: typeof current) => one.evaluate((it) => getComputedStyle(it).outlineStyle);
  expect([await outline(current), await outline(other)]).toEqual(["solid", "none"]);
});

test("this machine has the fix beside what is missing", async ({ page }) => {
  await open(page, "#/machine");
  await expect(page.getByText("1 item needs a look")).toBeVisible();
  await expect(page.getByText("How to fix it: ssh-add")).toBeVisible();
  await page.getByRole("button", { name: "Turn on" }).click();
  await expect(page.getByText("NoRouter starts in the background when you log in.")).toBeVisible();
});

test("the header leads to the hosts that are not up, from every page and again after another filter", async ({ page }) => {
  await open(page, "#/settings");
  const link = banner(page).getByRole("link", { name: "5 of 7 hosts up" });
  await link.click();
  const down = page.getByRole("button", { name: "Down 2" });
  await expect(down).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("[data-host]:not(.dim)")).toHaveCount(2);
  await page.getByRole("button", { name: "All 7" }).click();
  await expect(page.locator("[data-host]:not(.dim)")).toHaveCount(7);
  await link.click();
  await expect(down).toHaveAttribute("aria-pressed", "true");
  await open(page, "#/network", "hosts-8");
  await expect(banner(page)).toContainText("8 of 8 hosts up");
  await expect(banner(page).getByRole("link")).toHaveCount(0);
});

test("files that could not be written are told with what to do: on the page of the host, and of this machine", async ({ page }) => {
  await open(page, "#/host/web1", "noted");
  const state = page.getByRole("region", { name: "State" });
  await expect(state.getByRole("heading", { name: "Good to know" })).toBeVisible();
  await expect(state).toContainText("cannot make the folder /home/deploy/.norouter: permission denied");
  await expect(state).toContainText("How to fix it");
  await expect(state.getByRole("button", { name: "Edit in manifest" })).toBeVisible();
  await open(page, "#/host/gke", "noted");
  await expect(page.getByText("Good to know")).toHaveCount(0);
  await page.getByRole("link", { name: "This machine" }).click();
  const files = page.getByRole("region", { name: "Files for programs" });
  await expect(files).toContainText("cannot make the folder /home/ada/.norouter: permission denied");
  await expect(files).not.toContainText("/home/deploy");
  await expect(files).toContainText("stateDir");
  await files.getByRole("button", { name: "Open host page" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "laptop" })).toBeVisible();
});
