import { expect, test } from "@playwright/test";

import { expectAccessible, open } from "./look";

const places: [string, string, string, string][] = [
  ["the network as a picture", "#/network", "office", "Network"],
  ["forty hosts", "#/network", "many", "Network"],
  ["a host that is degraded", "#/host/db", "office", "db"],
  ["a host that waits", "#/host/container", "office", "container"],
  ["a host that asks", "#/host/build", "office", "build"],
  ["a command that waits for approval", "#/host/db", "asking", "db"],
  ["the first run", "#/network", "first", "One file, one network"],
  ["opening", "#/welcome", "office", "Open a network"],
  ["consent", "#/network", "consent", "Before office.yaml runs"],
  ["consent to a change", "#/network", "change", "office.yaml has changed"],
  ["settings", "#/settings", "office", "Settings"],
  ["this machine", "#/machine", "office", "This machine"],
  ["consent to many commands", "#/network", "consent-many", "Before office.yaml runs"],
];

for (const [what, place, scene, heading] of places) {
  test(`${what} has no fault that axe can find, in both themes`, async ({ page }) => {
    await open(page, place, scene);
    await expect(page.getByRole("heading", { level: 1, name: heading, exact: true })).toBeVisible();
    await expectAccessible(page);
  });
}

test("a file over the window is told what dropping it does, without a fault that axe can find", async ({ page }) => {
  await open(page, "#/network", "dragged");
  await expect(page.getByText("Drop to open lab.yaml")).toBeVisible();
  await expectAccessible(page);
});

test("the network as a list has no fault that axe can find, in both themes", async ({ page }) => {
  await open(page, "#/network", "asking");
  await page.getByRole("button", { name: "List" }).click();
  await expect(page.getByRole("row")).toHaveCount(4);
  await expect(page.getByRole("row", { name: /web1/ }).getByLabel("waiting for you")).toBeVisible();
  await expectAccessible(page);
});

for (const [scene, host] of [["asking", "web1"], ["office", "build"]] as const) {
  test(`the question of ${host} has no fault that axe can find, and its focus is a safe one`, async ({ page }) => {
    await open(page, `#/host/${host}`, scene);
    await page.getByRole("main").getByRole("button", { name: "Answer" }).click();
    const dialog = page.getByRole("dialog", { name: `${host} needs input` });
    await expect(dialog.getByLabel("Secret").or(dialog.getByRole("button", { name: "No", exact: true }))).toBeFocused();
    await expectAccessible(page);
  });
}

test("a narrow window cuts nothing off", async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  for (const place of ["#/network", "#/flows", "#/log", "#/manifest", "#/host/db", "#/settings", "#/welcome"]) {
    await open(page, place, "attached");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    const wide = await page.evaluate(() => [document.documentElement, document.querySelector("main"), document.querySelector("header")].map((one) => (one ? one.scrollWidth - one.clientWidth : 1)));
    expect(wide, place).toEqual([0, 0, 0]);
  }
});

const empties: [string, string, string, string][] = [
  ["a stopped network", "#/network", "stopped", "office.yaml is not running"],
  ["a network without hosts", "#/network", "empty", "No hosts yet"],
  ["a host that is gone", "#/host/nobody", "office", "Host not found"],
];

for (const [what, place, scene, words] of empties) {
  test(`${what} says so, and what to do`, async ({ page }) => {
    await open(page, place, scene);
    await expect(page.getByRole("heading", { name: words })).toBeVisible();
    await expect(page.getByRole("main").getByRole("button").first()).toBeVisible();
    await expectAccessible(page);
  });
}

const sheets: [string, string, string][] = [
  ["Search and commands", "Control+k", "office"],
  ["Keyboard shortcuts", "?", "office"],
  ["Test a connection", "w", "office"],
];

for (const [name, key, scene] of sheets) {
  test(`the sheet “${name}” has no fault that axe can find, and gives the focus back`, async ({ page }) => {
    await open(page, "#/network", scene);
    const before = page.getByRole("button", { name: "List" });
    await before.focus();
    await page.keyboard.press(key);
    const dialog = page.getByRole("dialog", { name });
    await expect(dialog).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(dialog).toBeHidden();
    await expect(before).toBeFocused();
  });
}

test("a manifest with errors shows its report while the network goes on", async ({ page }) => {
  await open(page, "#/network", "failure");
  await expect(page.getByRole("alert")).toContainText("2 errors");
  await page.getByRole("button", { name: "Details" }).click();
  await expect(page.getByText('did you mean "ports"?')).toBeVisible();
  await expect(page.getByRole("link", { name: "web1, ready, 127.0.42.101" })).toBeVisible();
  await expectAccessible(page);
});

test("the theme of the settings is stronger than that of the system", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page, "#/settings");
  await page.getByRole("radio", { name: "Dark" }).check();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await page.getByRole("radio", { name: "System" }).check();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "light");
});
