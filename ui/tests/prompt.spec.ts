import { expect, type Page, test } from "@playwright/test";

import type { MockHosts } from "../src/mock/hosts";
import { open } from "./look";

type Mocked = { mockHosts: MockHosts };

/** Makes a host ask a question, or changes its state. */
const ask = (page: Page, host: string, text: string) => page.evaluate(([host, text]) => (window as unknown as Mocked).mockHosts.ask(host as string, text as string), [host, text]);
const change = (page: Page, host: string, state: string) => page.evaluate(([host, state]) => (window as unknown as Mocked).mockHosts.change(host as string, state as "ready"), [host, state]);
/** The answers that were sent. */
const answered = (page: Page) => page.evaluate(() => (window as unknown as Mocked).mockHosts.answered);

const PASSWORD = "deploy@web1.example.com's password:";

async function answering(page: Page) {
  await open(page, "#/network", "asking");
  await page.getByRole("main").getByRole("button", { name: "List" }).click();
  await page.getByRole("button", { name: "Answer" }).first().click();
  const dialog = page.getByRole("dialog", { name: "web1 needs input" });
  await expect(dialog.getByLabel("Secret")).toBeFocused();
  return dialog;
}

test("a secret lands in no other field when its question goes away while it is typed", async ({ page }) => {
  const dialog = await answering(page);
  await page.keyboard.type("correct ");
  await change(page, "web1", "waiting");
  await expect(dialog.getByRole("status")).toContainText("The connection to web1 was lost");
  await page.keyboard.type("hows v");
  await expect(dialog.getByLabel("Secret")).toHaveValue("correct hows v");
  await expect(page.getByRole("dialog")).toHaveCount(1);
  await expect(dialog.getByLabel("Secret")).toHaveAttribute("type", "password");
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("status")).toContainText("Nothing was sent");
  expect(await answered(page)).toEqual([]);
  // The same question comes back. What the person had already typed answers it.
  await ask(page, "web1", PASSWORD);
  await expect(dialog.getByRole("status")).toContainText("asked again");
  await page.keyboard.press("Enter");
  await expect.poll(() => answered(page)).toEqual(["correct hows v"]);
});

test("another question does not get the beginning of a secret that was typed for the first one", async ({ page }) => {
  const dialog = await answering(page);
  await page.keyboard.type("correct");
  await ask(page, "web1", "Enter passphrase for key 'id_ed25519':");
  await expect(dialog.getByRole("status")).toContainText("asks another question now");
  await page.keyboard.press("Enter");
  expect(await answered(page)).toEqual([]);
  await dialog.getByRole("button", { name: "Show the new question" }).click();
  await expect(dialog.getByText("Enter passphrase")).toBeVisible();
  await expect(dialog.getByLabel("Secret")).toHaveValue("");
  await expect(dialog.getByLabel("Secret")).toBeFocused();
});

test("the dialog stays after an answer while others wait, and keeps what is typed from the page", async ({ page }) => {
  const dialog = await answering(page);
  await ask(page, "laptop", "The other password:");
  await page.keyboard.type("one");
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("status")).toContainText("Sent. Waiting for web1");
  await change(page, "web1", "ready");
  await expect(dialog.getByRole("status")).toContainText("web1 accepted the answer");
  await page.keyboard.type("wv");
  await expect(dialog.getByLabel("Secret")).toHaveValue("wv");
  await expect(page.getByRole("dialog")).toHaveCount(1);
  await dialog.getByRole("button", { name: "Next question: laptop" }).click();
  const next = page.getByRole("dialog", { name: "laptop needs input" });
  await expect(next.getByLabel("Secret")).toBeFocused();
  await expect(next.getByLabel("Secret")).toHaveValue("");
});

test("a question says whether its answer was accepted", async ({ page }) => {
  const dialog = await answering(page);
  await page.keyboard.type("wrong");
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("status")).toContainText("Sent. Waiting for web1");
  await ask(page, "web1", PASSWORD);
  await expect(dialog.getByRole("status")).toContainText("Not accepted, try again (attempt 2)");
  await expect(dialog.getByLabel("Secret")).toBeFocused();
  await page.keyboard.type("right");
  await page.keyboard.press("Enter");
  await change(page, "web1", "configuring");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByText("web1 accepted the answer")).toBeVisible();
  expect(await answered(page)).toEqual(["wrong", "right"]);
});

test("single letters are no shortcuts just after a prompt, so that the rest of a secret does nothing", async ({ page }) => {
  await answering(page);
  await page.keyboard.type("x");
  await page.keyboard.press("Enter");
  await change(page, "web1", "ready");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await page.keyboard.type("w?v");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("main").getByRole("button", { name: "List" })).toHaveAttribute("aria-pressed", "true");
});
