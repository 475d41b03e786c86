// The test of one host in its form: the consent, the steps, a question, a failure, and a stop.
import { expect, type Page, test } from "@playwright/test";

import { expectAccessible, open } from "./look";

/** Opens the form of web1. `kind` selects the outcome of its test. */
async function openForm(page: Page, kind = "member"): Promise<void> {
  await page.addInitScript(() => localStorage.setItem("norouter.manifest view", "form"));
  await open(page, `&test=${kind}#/manifest?host=web1`);
  await page.getByRole("button", { name: /^web1 / }).first().click();
  await expect(page.getByRole("heading", { name: "Test", exact: true })).toBeVisible();
}

const run = (page: Page) => page.getByRole("button", { name: "Test connection" }).click();
const agree = (page: Page) => page.getByRole("button", { name: "Approve and test" }).click();
const steps = (page: Page) => page.getByRole("list", { name: "Steps of the test" }).getByRole("listitem");

test("a command that nobody has agreed to is shown first, and runs only after a yes", async ({ page }) => {
  await openForm(page);
  await run(page);
  const ask = page.getByRole("group", { name: "This command has not been approved yet" });
  await expect(ask).toContainText("norouter");
  await expect(steps(page)).toHaveCount(0);
  await ask.getByRole("button", { name: "Cancel" }).click();
  await expect(ask).toBeHidden();
  await expect(steps(page)).toHaveCount(0);
  await run(page);
  await agree(page);
  await expect(page.getByText(/^This host can be a member/)).toBeVisible();
  await expect(steps(page)).toHaveCount(10);
  await expect(steps(page).first()).toContainText("Program");
  await expect(steps(page).nth(1)).toContainText("38\u00a0ms");
  await expectAccessible(page);
  await page.getByRole("button", { name: "Test again" }).click();
  await expect(ask).toBeHidden();
  await expect(page.getByText(/^This host can be a member/)).toBeVisible();
});

test("a failure shows what the command wrote, why, and what to do", async ({ page }) => {
  await openForm(page, "key");
  await run(page);
  await agree(page);
  await expect(page.getByText("This host cannot be a member:")).toBeVisible();
  await expect(steps(page).last()).toContainText("Permission denied (publickey)");
  await expect(page.getByText("add your key to the agent: ssh-add")).toBeVisible();
  await expectAccessible(page);
});

test("a password is asked for in place and is not shown", async ({ page }) => {
  await openForm(page, "password");
  await run(page);
  await agree(page);
  const field = page.getByLabel("Answer (hidden)");
  await expect(field).toHaveAttribute("type", "password");
  // The button that had the focus is gone. What is typed now is the answer, and not a shortcut.
  await expect(field).toBeFocused();
  await expectAccessible(page);
  await field.fill("xyzzy");
  await page.keyboard.press("Enter");
  await expect(page.getByText(/^This host can be a member/)).toBeVisible();
  await expect(field).toBeHidden();
});

test("a test that waits can be stopped", async ({ page }) => {
  await openForm(page, "password");
  await run(page);
  await agree(page);
  await expect(page.getByLabel("Answer (hidden)")).toBeVisible();
  await page.getByRole("button", { name: "Stop test" }).click();
  await expect(page.getByText("The test was stopped.")).toBeVisible();
  await expect(page.getByLabel("Answer (hidden)")).toBeHidden();
});

test("a host that is not saved is tested as it is in the editor", async ({ page }) => {
  await openForm(page);
  await run(page);
  await agree(page);
  await expect(page.getByText(/^This host can be a member/)).toBeVisible();
  await page.getByRole("button", { name: "Duplicate" }).click();
  await expect(page.getByRole("heading", { level: 2, name: /^web1-2|^web2/ }).first()).toBeVisible();
  await run(page);
  await agree(page);
  await expect(page.getByText(/^This host can be a member/)).toBeVisible();
  await expect(page.getByText("Unsaved changes", { exact: true }).first()).toBeVisible();
});
