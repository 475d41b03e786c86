// The manifest as forms, in a real browser: by pointer, and by keyboard alone.
import { expect, type Page, test } from "@playwright/test";

import type { MockDisk } from "../src/mock/manifest";
import { expectAccessible, save } from "./look";

const parts = (page: Page) => page.getByRole("navigation", { name: "Parts of the manifest" });
const entry = (page: Page, name: string) => parts(page).getByRole("button", { name: new RegExp(`^${name}\\b`) });

async function open(page: Page, host = "web1", scene = "office"): Promise<void> {
  await page.goto(`/?scene=${scene}&still#/manifest?view=form&host=${host}`);
  await expect(parts(page)).toBeVisible();
  await expect(page.getByRole("heading", { name: host, exact: true })).toBeVisible();
}

function disk(page: Page): Promise<string> {
  return page.evaluate(() => (globalThis as unknown as { mockDisk: MockDisk }).mockDisk.read());
}

/** Writes the file as another program would. */
async function write(page: Page, text: string): Promise<void> {
  await page.evaluate((text) => (globalThis as unknown as { mockDisk: MockDisk }).mockDisk.write(text), text);
}

async function saved(page: Page): Promise<string> {
  await save(page);
  return disk(page);
}

/** A text as the mock of the engine prints it. The mock writes the whole text again, and comments behind one blank. */
function printed(text: string): string {
  return text.replaceAll(/ +#/g, " #");
}

const SHARED = `hostTemplate:
  dns: {listen: 10053}
  ports: ["9100:127.0.0.1:9100"]
hosts:
  web1:
    ssh: web1
    socks: &proxy {listen: "127.0.0.1:18081"}
    ports: ["8080:127.0.0.1:80"]
  web2:
    ssh: web2
    socks: *proxy
`;

test("a value is changed in place, is marked as not saved, and is undone", async ({ page }) => {
  await open(page);
  const vip = page.getByRole("textbox", { name: "Address", exact: true });
  await vip.fill("127.0.42.77");
  await vip.press("Enter");
  await expect(entry(page, "web1")).toContainText("changed");
  await expect(page.getByRole("button", { name: "Undo: set “Address” of web1" })).toBeVisible();
  await vip.press("Control+z");
  await expect(vip).toHaveValue("127.0.42.101");
  await expect(entry(page, "web1")).not.toContainText("changed");
  await vip.press("Control+y");
  expect(await saved(page)).toContain('vip: "127.0.42.77"');
});

test("a wrong value is explained while it is typed, stays in the field, and is never taken", async ({ page }) => {
  await open(page);
  const vip = page.getByRole("textbox", { name: "Address", exact: true });
  await vip.fill("10.0.0");
  await expect(page.getByText("This value does not have the right form.")).toBeVisible();
  await vip.press("Enter");
  await entry(page, "db").click();
  await entry(page, "web1").click();
  await expect(vip).toHaveValue("10.0.0");
  await vip.press("Escape");
  await expect(vip).toHaveValue("127.0.42.101");
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeHidden();
});

test("ports are added in short, changed and removed", async ({ page }) => {
  await open(page);
  const add = page.getByRole("textbox", { name: "Add to Ports" });
  await add.fill("5432");
  await expect(page.getByText("Adds 5432:127.0.0.1:5432")).toBeVisible();
  await add.press("Enter");
  await expect(add).toHaveValue("");
  await expect(add).toBeFocused();
  await expect(page.getByRole("textbox", { name: "Ports 3" })).toHaveValue("5432:127.0.0.1:5432");
  await page.getByRole("textbox", { name: "Ports 1" }).fill("8081:127.0.0.1:80");
  await page.getByRole("button", { name: "Remove 8443:127.0.0.1:443" }).click();
  await expect(page.getByRole("textbox", { name: "Ports 3" })).toBeHidden();
  const text = await saved(page);
  expect(text).toContain('- "8081:127.0.0.1:80"\n      - "5432:127.0.0.1:5432"\n');
});

test("the parts of a command and its text are the same value, with the exact words below", async ({ page }) => {
  await open(page, "bastion");
  await expect(page.getByRole("textbox", { name: "Jump host" })).toHaveValue("jump.example.com");
  await page.getByRole("textbox", { name: "User" }).fill("root");
  await page.getByRole("textbox", { name: "User" }).press("Enter");
  await expect(page.getByRole("textbox", { name: "Command" })).toHaveValue("ssh -J jump.example.com root@bastion.internal -- norouter");
  await page.getByRole("textbox", { name: "Command" }).fill("ssh -p 2222 bastion.internal -- norouter");
  await page.getByRole("textbox", { name: "Command" }).press("Enter");
  await expect(page.getByRole("textbox", { name: "Port", exact: true })).toHaveValue("2222");
  await expect(page.locator(".pane .argv")).toHaveText(/ssh\s+-p\s+2222\s+bastion\.internal\s+--\s+norouter\s+agent\s+--automated/);
});

test("another way to reach a host changes nothing until it has a target", async ({ page }) => {
  await open(page);
  await page.getByLabel("Kind").selectOption("kubernetes");
  await page.getByRole("textbox", { name: "Deployment" }).fill("shop");
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeHidden();
  await page.getByRole("button", { name: "Use this" }).click();
  await page.getByRole("textbox", { name: "Namespace" }).fill("prod");
  await page.getByRole("textbox", { name: "Namespace" }).press("Enter");
  await expect(page.locator(".pane .argv")).toContainText("--namespace=prod");
  const text = await saved(page);
  expect(text).toContain("deployment: shop");
  expect(text).not.toContain("deploy@web1");
});

test("what comes from elsewhere says so, and a change asks how far it reaches", async ({ page }) => {
  await open(page);
  await write(page, SHARED);
  await expect(page.getByText("shared with web2")).toBeVisible();
  const dns = page.getByRole("textbox", { name: "DNS port" });
  await expect(dns).toHaveValue("10053");
  await dns.fill("10054");
  await dns.press("Enter");
  const dialog = page.getByRole("dialog", { name: "This value is shared" });
  await dialog.getByRole("button", { name: "Only here" }).click();
  await expect(page.getByText("hostTemplate has 10053")).toBeVisible();
  await page.getByRole("button", { name: "Reset: DNS port" }).click();
  await expect(dns).toHaveValue("10053");
  const socks = page.getByRole("textbox", { name: "SOCKS proxy" });
  await socks.fill("127.0.0.1:1080");
  await socks.press("Enter");
  await dialog.getByRole("button", { name: "For all" }).click();
  await expect(socks).toHaveValue("127.0.0.1:1080");
  await entry(page, "web2").click();
  await expect(page.getByRole("textbox", { name: "SOCKS proxy" })).toHaveValue("127.0.0.1:1080");
  await expect(page.getByText("9100:127.0.0.1:9100")).toBeVisible();
});

test("a host is renamed and its routes follow, and so do undo and the selection", async ({ page }) => {
  await open(page, "bastion");
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.fill("web1");
  await expect(page.getByText("Another host has the name web1.")).toBeVisible();
  await name.fill("gate");
  await name.press("Enter");
  await expect(page.getByRole("heading", { name: "gate", exact: true })).toBeVisible();
  await expect(entry(page, "gate")).toHaveAttribute("aria-current", "true");
  await entry(page, "Routes").click();
  await expect(page.getByRole("textbox", { name: "Through 1" }).first()).toHaveValue("gate");
  await entry(page, "gate").click();
  await page.getByRole("button", { name: /^Undo: rename/ }).click();
  await expect(page.getByRole("heading", { name: "bastion", exact: true })).toBeVisible();
  await expect(name).toHaveValue("bastion");
});

test("a rename leaves the focus and what is typed in other fields, and stays undone", async ({ page }) => {
  await open(page, "bastion");
  const name = page.getByRole("textbox", { name: "Name", exact: true });
  const vip = page.getByRole("textbox", { name: "Address", exact: true });
  await vip.fill("127.0.");
  await name.fill("gate");
  await name.press("Enter");
  await expect(page.getByRole("heading", { name: "gate", exact: true })).toBeVisible();
  await expect(name).toBeFocused();
  await expect(vip).toHaveValue("127.0.");
  await name.press("Control+z");
  await expect(page.getByRole("heading", { name: "bastion", exact: true })).toBeVisible();
  await expect(name).toHaveValue("bastion");
  await expect(name).toBeFocused();
  // Leaving the field must not rename the host again.
  await name.press("Tab");
  await expect(vip).toBeFocused();
  await expect(vip).toHaveValue("127.0.");
  await vip.press("Escape");
  await expect(page.getByRole("heading", { name: "bastion", exact: true })).toBeVisible();
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeHidden();
});

test("Ctrl+S in a field saves what is typed there", async ({ page }) => {
  await open(page);
  await page.getByRole("textbox", { name: "Address", exact: true }).fill("127.0.42.78");
  expect(await saved(page)).toContain('vip: "127.0.42.78"');
});

test("two ports that are typed quickly are both added, once", async ({ page }) => {
  await open(page);
  await page.getByRole("textbox", { name: "Add to Ports" }).focus();
  await page.keyboard.type("5432");
  // All keys are pressed before the first edit is answered.
  await page.evaluate(() => {
    const field = document.activeElement as HTMLInputElement;
    const enter = () => field.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true }));
    enter();
    enter();
    field.value = "5433";
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    enter();
  });
  await expect(page.getByRole("textbox", { name: "Ports 4" })).toHaveValue("5433:127.0.0.1:5433");
  await expect(page.getByRole("textbox", { name: "Ports 3" })).toHaveValue("5432:127.0.0.1:5432");
  await expect(page.getByRole("textbox", { name: "Ports 5" })).toHaveCount(0);
  await expect(page.getByRole("textbox", { name: "Add to Ports" })).toHaveValue("");
});

test("what is typed for an item stays with the item when one before it is removed", async ({ page }) => {
  await open(page);
  const second = page.getByRole("textbox", { name: "Ports 2" });
  await second.fill("8443:x");
  await page.getByRole("button", { name: "Remove 8080:127.0.0.1:80" }).click();
  await expect(second).toHaveCount(0);
  await expect(page.getByRole("textbox", { name: "Ports 1" })).toHaveValue("8443:x");
});

test("a deleted host takes its routes with it, says so, and comes back", async ({ page }) => {
  await open(page, "bastion");
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("Delete bastion. Route 1 is removed as well")).toBeVisible();
  await expect(entry(page, "bastion")).toBeHidden();
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(entry(page, "bastion")).toBeVisible();
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeHidden();
});

test("routes that could match the same destinations say that the later route wins, and are moved by keyboard", async ({ page }) => {
  await open(page);
  await entry(page, "Routes").click();
  await page.getByRole("textbox", { name: "To", exact: true }).fill("10.20.5.0/24");
  await page.getByRole("combobox", { name: "Through", exact: true }).selectOption("gke");
  await page.getByRole("button", { name: "Add route" }).click();
  const routes = page.getByRole("region", { name: /^Route \d$/ });
  await expect(routes).toHaveCount(3);
  await expect(routes.nth(2)).toContainText("Could match the same destinations as route 1. The later route wins.");
  await routes.nth(2).focus();
  await page.keyboard.press("Alt+ArrowUp");
  await page.keyboard.press("Alt+ArrowUp");
  await expect(routes.nth(0)).toBeFocused();
  await expect(routes.nth(0)).toContainText("Could match the same destinations as route 2. The later route wins.");
  await routes.nth(0).getByRole("textbox", { name: "Add to Except" }).fill("10.20.5.9");
  await page.keyboard.press("Enter");
  await expect(routes.nth(0).getByRole("textbox", { name: "Except 1" })).toHaveValue("10.20.5.9/32");
});

test("a host is added by keyboard alone, with name, address and ports proposed", async ({ page }) => {
  await open(page);
  await page.getByRole("main").focus();
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "Add a host" });
  await expect(dialog.getByLabel("How is it reached?")).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.type("-J gate ops@cache.example.com");
  await page.keyboard.press("Tab");
  await expect(dialog.getByLabel("Name")).toHaveValue("cache");
  await page.keyboard.press("Tab");
  await expect(dialog.getByLabel("Address")).toHaveValue("127.0.42.107");
  await page.keyboard.press("Tab");
  await page.keyboard.type("6379 80");
  await expect(dialog.getByText("Adds 6379:127.0.0.1:6379, 8082:127.0.0.1:80")).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(dialog).toBeHidden();
  await expect(entry(page, "cache")).toContainText("not saved");
  await expect(page.getByRole("textbox", { name: "User" })).toHaveValue("ops");
  const text = await saved(page);
  expect(text).toMatch(/ cache:\n {4}vip: "127\.0\.42\.107"\n {4}ssh: \[-J, gate, ops@cache\.example\.com\]/);
  await expect(entry(page, "cache")).not.toContainText("not saved");
});

test("hosts that were found are added together", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Add host" }).click();
  const dialog = page.getByRole("dialog", { name: "Add a host" });
  await dialog.getByRole("button", { name: "Found on this machine" }).click();
  await dialog.getByRole("checkbox", { name: /web1/ }).check();
  await dialog.getByRole("checkbox", { name: /staging/ }).check();
  await dialog.getByRole("combobox", { name: "Pods of the context" }).selectOption("production");
  await dialog.getByRole("checkbox", { name: /production\/shop/ }).check();
  await expect(dialog.getByRole("checkbox", { name: /staging/ })).toBeChecked();
  await dialog.getByRole("button", { name: "Add 3 hosts" }).click();
  await expect(entry(page, "web1-2")).toContainText("not saved");
  await expect(entry(page, "db-0")).toContainText("not saved");
  await entry(page, "api").click();
  await expect(page.getByRole("textbox", { name: "Context" })).toHaveValue("staging");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(entry(page, "api")).toBeHidden();
});

test("the form of a host is reached, changed and left by keyboard alone", async ({ page }) => {
  await open(page, "laptop");
  await entry(page, "laptop").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("heading", { name: "db", exact: true })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(entry(page, "Template")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("region", { name: "db" })).toBeFocused();
  const host = page.getByRole("textbox", { name: "Host", exact: true });
  for (let presses = 0; presses < 12 && !(await host.evaluate((field) => field === document.activeElement)); presses += 1) {
    await page.keyboard.press("Tab");
  }
  await expect(host).toBeFocused();
  await page.keyboard.press("Control+a");
  await page.keyboard.type("db2.example.com");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("textbox", { name: "Command" })).toHaveValue("ssh db2.example.com -- norouter");
  await page.keyboard.press("Alt+3");
  await expect(page.getByRole("textbox", { name: "Manifest text" })).toContainText("ssh db2.example.com");
});

test("a text that cannot be read leaves the form in its last readable state, and leads to the problem", async ({ page }) => {
  await open(page);
  await page.getByRole("textbox", { name: "Address", exact: true }).fill("127.0.42.55");
  await page.getByRole("textbox", { name: "Address", exact: true }).press("Enter");
  await page.keyboard.press("Alt+3");
  await page.locator(".cm-line").filter({ hasText: "127.0.42.55" }).click();
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("x: 'a");
  await page.keyboard.press("Delete");
  await page.keyboard.press("Alt+2");
  await expect(page.getByText("The text cannot be read at the moment.")).toBeVisible();
  await expect(page.getByRole("textbox", { name: "Address", exact: true })).toHaveValue("127.0.42.55");
  await expect(page.getByRole("textbox", { name: "Address", exact: true })).toHaveAttribute("readonly", "");
  await expect(page.getByRole("button", { name: "Add host" })).toBeDisabled();
  await page.getByRole("button", { name: /^Show the problem in line \d+$/ }).click();
  await expect(page.getByRole("textbox", { name: "Manifest text" })).toBeFocused();
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Alt+2");
  await expect(page.getByText("The text cannot be read at the moment.")).toBeHidden();
  await expect(page.getByRole("textbox", { name: "Address", exact: true })).not.toHaveAttribute("readonly", "");
});

test("problems are beside their fields and counted in the list", async ({ page }) => {
  await open(page);
  await write(page, (await disk(page)).replace("8443:127.0.0.1:443", "8443:127.0.0.1:99999"));
  const field = page.locator("[data-field=ports]").filter({ hasText: "the port 99999 is larger than 65535" });
  await expect(field).toBeVisible();
  await expect(entry(page, "web1")).toContainText("1 problem");
});

test("a network of another program can be looked at in the form, and not changed", async ({ page }) => {
  await open(page, "web1", "attached");
  await expect(page.getByRole("textbox", { name: "Address", exact: true })).toHaveAttribute("readonly", "");
  await expect(page.getByRole("button", { name: "Delete" })).toHaveCount(0);
  await page.keyboard.press("n");
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("every field of the table has a control", async ({ page }) => {
  await open(page);
  await page.locator("details").evaluateAll((all) => all.forEach((one) => ((one as HTMLDetailsElement).open = true)));
  const shown = await page.locator("[data-field]").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-field") ?? ""));
  for (const field of ["vip", "aliases", "ports", "http.listen", "http.allow", "http.allowRemote", "http.credentials", "socks.listen", "dns.listen", "dns.disable", "loopback.allow", "loopback.disable", "stateDir.pathOnAgent", "stateDir.disable", "writeEtcHosts", "cmd"]) {
    expect(shown).toContain(field);
  }
  await entry(page, "Template").click();
  await expect(page.getByText("Values for every host that does not set them itself.")).toBeVisible();
  await entry(page, "Network").click();
  await page.getByRole("textbox", { name: "Block of addresses" }).fill("127.1.0.0/16");
  await page.keyboard.press("Enter");
  expect(await saved(page)).toContain("127.1.0.0/16");
  await entry(page, "Policy").click();
  await page.getByRole("button", { name: "Show in text" }).click();
  await expect(page.getByRole("textbox", { name: "Manifest text" })).toBeFocused();
});

test("nothing keeps anybody out of the form, light or dark", async ({ page }) => {
  test.slow();
  await open(page);
  await write(page, SHARED);
  await expect(page.getByText("shared with web2")).toBeVisible();
  await page.locator("details").evaluateAll((all) => all.forEach((one) => ((one as HTMLDetailsElement).open = true)));
  await page.getByRole("textbox", { name: "Address", exact: true }).fill("1");
  await expectAccessible(page);
});

test("nothing keeps anybody out of the routes and the dialog, light or dark", async ({ page }) => {
  test.slow();
  await open(page);
  await entry(page, "Routes").click();
  await expect(page.getByRole("region", { name: "Route 1" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Add host" }).click();
  await expectAccessible(page);
});

test("the policy is edited without YAML", async ({ page }) => {
  await open(page);
  await entry(page, "Policy").click();
  const main = page.getByRole("main");
  await expect(main.getByText("There is no policy", { exact: false })).toBeVisible();
  const before = await disk(page);
  const fresh = main.getByRole("region", { name: "New rule" });
  const add = async (where: typeof fresh, key: string, word: string, of = "New rule") => {
    const field = where.getByRole("combobox", { name: `Add to “${key}” of ${of}` }).or(where.getByRole("textbox", { name: `Add to “${key}” of ${of}` }));
    await field.fill(word);
    await field.press("Enter");
    await expect(where.getByText(word, { exact: true }).first()).toBeVisible();
  };
  await add(fresh, "From", "laptop");
  await expect(fresh.getByRole("button", { name: "Add rule" })).toBeDisabled();
  await add(fresh, "To", "db");
  await add(fresh, "Ports", "5432");
  await fresh.getByRole("button", { name: "Add rule" }).click();
  const rule = main.getByRole("region", { name: "Rule 1", exact: true });
  await expect(rule).toBeVisible();

  // A word that the manifest does not know stays in its field.
  const to = rule.getByLabel("Add to “To” of Rule 1");
  await to.fill("nowhere");
  await expect(rule.getByText("The manifest has no host or group nowhere.")).toBeVisible();
  await to.press("Escape");
  await rule.getByLabel("Action").selectOption("deny");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("web");
  await page.getByLabel("First host").selectOption("web1");
  await page.getByRole("button", { name: "Add group" }).click();
  await add(rule, "From", "web", "Rule 1");
  await expectAccessible(page);
  const after = await saved(page);
  expect(after).toBe(`${printed(before)}policy:\n  rules:\n    - {from: [laptop, web], to: db, ports: ["5432"], action: deny}\n  groups:\n    web: [web1]\n`);

  // The picture says that there is a policy, and leads to it. Undo covers the policy, too.
  await page.getByRole("button", { name: "Picture", exact: true }).click();
  await page.getByRole("button", { name: "Policy", exact: true }).click();
  await expect(rule).toBeVisible();
  await rule.getByRole("button", { name: "Remove rule 1" }).click();
  await expect(rule).toHaveCount(0);
  await page.getByRole("button", { name: /^Undo: remove rule 1/ }).click();
  await expect(rule).toBeVisible();
});

test("a value that rules share is changed only here, when the person says so", async ({ page }) => {
  await open(page);
  await write(page, `${await disk(page)}policy:\n  rules:\n    - {from: &ours [web1, web2], to: db, action: allow}\n    - {from: *ours, to: gke, action: deny}\n`);
  await entry(page, "Policy").click();
  const rule = (number: number) => page.getByRole("region", { name: `Rule ${number}`, exact: true });
  await expect(rule(2).getByText("shared with rule 1")).toBeVisible();
  await expectAccessible(page);
  const take = rule(2).getByRole("button", { name: "Remove web2 from “From” of Rule 2" });
  await take.click();
  const dialog = page.getByRole("dialog", { name: "This value is shared" });
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(take).toBeVisible();
  await take.click();
  await dialog.getByRole("button", { name: "Only here" }).click();
  await expect(take).toBeHidden();
  await expect(rule(2).getByText("shared with rule 1")).toBeHidden();
  await expect(rule(1).getByRole("button", { name: "Remove web2 from “From” of Rule 1" })).toBeVisible();
  expect(await saved(page)).toContain("- {from: &ours [web1, web2], to: db, action: allow}\n    - {from: [web1], to: gke, action: deny}\n");
});

test("the last rule of the policy is removed, and comes back with undo", async ({ page }) => {
  await open(page);
  const before = await disk(page);
  await write(page, `${before}policy:\n  rules:\n    - {from: web1, to: db, action: allow}\n`);
  await entry(page, "Policy").click();
  const rule = page.getByRole("region", { name: "Rule 1", exact: true });
  const none = page.getByText("No rules", { exact: false });
  await rule.getByRole("button", { name: "Remove rule 1" }).click();
  await expect(none).toBeVisible();
  await expect(rule).toHaveCount(0);
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(rule).toBeVisible();
  await expect(none).toBeHidden();
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeHidden();
  await rule.getByRole("button", { name: "Remove rule 1" }).click();
  await expect(none).toBeVisible();
  expect(await saved(page)).toContain("rules: []");
});

test("a host can be without the proxy that the template gives to all hosts", async ({ page }) => {
  await open(page, "db");
  await write(page, `hostTemplate:\n  http: {listen: "127.0.0.1:18080"}\n${await disk(page)}`);
  await page.locator("details").evaluateAll((all) => all.forEach((one) => ((one as HTMLDetailsElement).open = true)));
  await expect(page.getByRole("textbox", { name: "HTTP proxy" })).toHaveValue("127.0.0.1:18080");
  await page.getByRole("button", { name: "None here: HTTP proxy" }).click();
  await expect(page.getByRole("textbox", { name: "HTTP proxy" })).toHaveValue("");
  await page.getByRole("button", { name: /^Undo: / }).click();
  await expect(page.getByRole("textbox", { name: "HTTP proxy" })).toHaveValue("127.0.0.1:18080");
});
