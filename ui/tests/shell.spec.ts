import { expect, test } from "@playwright/test";

import { copied, open } from "./look";

test("the palette finds a host and goes there", async ({ page }) => {
  await open(page, "#/settings");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("gke");
  await expect(page.getByRole("dialog").getByRole("option", { selected: true })).toContainText("127.0.42.106");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "gke" })).toBeVisible();
});

test("the palette copies, and asks before it ends anything", async ({ page }) => {
  await open(page, "#/network");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("copy the address of db");
  await page.keyboard.press("Enter");
  await expect.poll(() => copied(page)).toBe("127.0.42.102");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("stop");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Stop office?" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByText("5 of 7 hosts up")).toBeVisible();
});

test("each page has its key", async ({ page }) => {
  await open(page, "#/network");
  for (const [key, name] of [["2", "Connections"], ["3", "Log"], ["4", "Manifest"], [",", "Settings"], ["1", "Network"]] as const) {
    await page.keyboard.press(`Control+${key}`);
    await expect(page.getByRole("link", { name, exact: false }).and(page.locator("[aria-current]"))).toBeVisible();
  }
});

test("the network is stopped and started again from the header", async ({ page }) => {
  await open(page, "#/network");
  await page.getByRole("banner").getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("dialog")).toContainText("Disconnects 7 hosts. 32 open connections will be cut.");
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await expect(page.getByRole("heading", { name: "office.yaml is not running" })).toBeVisible();
  await page.getByRole("button", { name: "Start network" }).click();
  await expect(page.locator("[data-host]")).toHaveCount(7);
});

test("an attached network can be left without ending it", async ({ page }) => {
  await open(page, "#/network", "attached");
  await page.getByRole("button", { name: "Detach" }).click();
  await expect(page.getByText("Detached, still running")).toBeVisible();
});

test("nothing runs before its commands are agreed to", async ({ page }) => {
  await open(page, "#/network", "consent");
  await expect(page.getByRole("banner").getByRole("button", { name: "Start" })).toBeHidden();
  await expect(page.locator(".changed span, code .changed")).toHaveText(["-o", "ServerAliveInterval=15"]);
  await page.getByRole("button", { name: "Approve and start" }).click();
  await expect(page.locator("[data-host]")).toHaveCount(7);
});

test("refusing leaves the manifest open and its network stopped", async ({ page }) => {
  await open(page, "#/network", "consent");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expect(page.getByRole("heading", { name: "office.yaml is not running" })).toBeVisible();
});

test("a file that changes while its commands are looked at must be looked at again", async ({ page }) => {
  await open(page, "#/network", "consent");
  await page.evaluate(() => window.dispatchEvent(new CustomEvent("mock:changed")));
  await expect(page.getByRole("alert")).toContainText("The file changed");
  await expect(page.getByRole("button", { name: "Approve and start" })).toBeHidden();
  await expect(page.getByText("evil.example.com")).toBeHidden();
  await page.getByRole("button", { name: "Show the current version" }).click();
  await expect(page.getByText("evil.example.com")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve and start" })).toBeVisible();
});

test("a change of a running network is shown as what it grants, and agreed to", async ({ page }) => {
  await open(page, "#/network", "change");
  await expect(page.getByRole("heading", { name: "office.yaml has changed" })).toBeVisible();
  await expect(page.getByText("no part of the change is in force")).toBeVisible();
  await expect(page.getByText("all hosts can connect to 127.0.0.1:22 of this machine, as laptop:2222")).toBeVisible();
  await page.getByRole("button", { name: "Approve and apply" }).click();
  await expect(page.locator("[data-host]")).toHaveCount(7);
});

test("a manifest without a command is shown as what it grants, and not as commands", async ({ page }) => {
  await open(page, "#/network", "consent-alone");
  await expect(page.getByRole("region", { name: "1 other new permission" }).getByRole("listitem")).toHaveText(/every host may reach all that is published and routed/);
  await expect(page.getByText("Nothing is in force yet")).toBeVisible();
  await expect(page.getByText("A manifest runs commands")).toHaveCount(0);
});

test("who can reach what, and that others of this machine can, is shown before it is approved", async ({ page }) => {
  for (const scene of ["consent", "change"]) {
    await open(page, "#/network", scene);
    const other = page.getByRole("listitem").filter({ hasText: "every user of this machine can connect to the published ports of all hosts, as a program of laptop" });
    await expect(other).toContainText("new");
    const reach = page.getByRole("listitem").filter({ hasText: "every host may reach all that is published and routed, but for: deny build to every route" });
    await expect(reach).toContainText("new");
  }
});

test("a change that waits is told of on every page, and leads back to the question", async ({ page }) => {
  await open(page, "#/network", "change");
  await page.getByRole("button", { name: "Not now" }).click();
  await expect(page.getByText("The changed manifest needs your approval")).toBeVisible();
  await page.getByRole("link", { name: "Log" }).click();
  await page.getByRole("button", { name: "Review" }).click();
  await expect(page.getByRole("button", { name: "Approve and apply" })).toBeVisible();
});

test("a network that another program runs says how to agree to its change", async ({ page }) => {
  await open(page, "#/network", "change-attached");
  await expect(page.getByText("norouter approve")).toBeVisible();
});

test("a command that others can change is told of", async ({ page }) => {
  await open(page, "#/network", "consent");
  await expect(page.getByRole("list", { name: "What other users of this machine could change" })).toContainText("gke.sh");
});

test("the manifest can be read before its commands are agreed to", async ({ page }) => {
  await open(page, "#/network", "consent");
  await page.getByRole("link", { name: "Manifest" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Manifest" })).toBeVisible();
  await page.getByRole("link", { name: "Network" }).click();
  await expect(page.getByRole("button", { name: "Approve and start" })).toBeVisible();
});

test("the first page offers what is found, and writes a manifest with what is picked", async ({ page }) => {
  await open(page, "", "first");
  await expect(page.getByText("How to fix it: ssh-add")).toBeVisible();
  await page.getByRole("checkbox", { name: /^web1/ }).check();
  await page.getByRole("searchbox", { name: "Search the hosts found" }).fill("DB.example");
  await expect(page.getByRole("checkbox")).toHaveCount(1);
  await page.getByRole("checkbox", { name: /^db/ }).check();
  await page.getByRole("button", { name: "Show all hosts found" }).click();
  await expect(page.getByRole("checkbox", { name: /^web1/ })).toBeChecked();
  await page.getByRole("button", { name: "Create network with 2 hosts" }).click();
  await expect(page.getByRole("heading", { name: "office.yaml is not running" })).toBeVisible();
});

test("diagnostics are shown before they are saved", async ({ page }) => {
  await open(page, "#/settings");
  await page.getByRole("button", { name: "Show report" }).click();
  await expect(page.getByRole("dialog")).toContainText("network: office, 7 hosts");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved /home/ada/norouter-diagnostics.txt")).toBeVisible();
});

test("proxy variables follow the shell", async ({ page }) => {
  await open(page, "#/settings");
  await expect(page.getByText("export http_proxy")).toBeVisible();
  await page.getByRole("combobox", { name: "Shell" }).selectOption("fish");
  await expect(page.getByText("set -gx http_proxy")).toBeVisible();
});

test("a page that nothing happens on asks for nothing and draws nothing", async ({ page }) => {
  await open(page, "#/settings");
  await page.evaluate(() => {
    const counter = { changes: 0 };
    Object.assign(window, { counter });
    new MutationObserver((list) => (counter.changes += list.length)).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 2200)));
  expect(await page.evaluate(() => (window as unknown as { counter: { changes: number } }).counter.changes)).toBe(0);
});

test("the palette has the keys beside what they do, and the ports and texts of each host", async ({ page }) => {
  await open(page, "#/network");
  const palette = page.getByRole("dialog");
  await page.keyboard.press("Control+k");
  await expect(palette.getByRole("option", { name: /^Connections/ })).toContainText("Ctrl2");
  await expect(palette.getByRole("option", { name: /^Keyboard shortcuts/ })).toContainText("?");
  await page.keyboard.type("web1:8080");
  await expect(palette.getByRole("option")).toHaveText(["Open web1:8080 in the browser http://127.0.42.101:8080/", "Copy the address of web1:8080 127.0.42.101:8080"]);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect.poll(() => copied(page)).toBe("127.0.42.101:8080");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("proxy variables");
  await page.keyboard.press("Enter");
  await expect.poll(() => copied(page)).toContain("export http_proxy");
  await page.keyboard.press("Control+k");
  await page.keyboard.type("retry container");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Starting container")).toBeVisible();
});

test("on the first start, the navigation says which page is shown", async ({ page }) => {
  await open(page, "#/network", "first");
  await expect(page.locator("nav [aria-current]")).toHaveText("Open");
  await expect(page).toHaveTitle("Open · NoRouter");
});
