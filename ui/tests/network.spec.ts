import { expect, test } from "@playwright/test";

import { copied, open } from "./look";

test("the picture shows each link by the kind of its line", async ({ page }) => {
  await open(page, "#/network");
  await expect(page.locator("[data-link]")).toHaveCount(7);
  await expect(page.locator('[data-link="ready"] path')).toHaveCount(8);
  await expect(page.locator('[data-link="waiting"] path')).toHaveCount(1);
  await expect(page.locator(".route")).toHaveCount(2);
});

test("hosts are reached with the keyboard alone", async ({ page }) => {
  await open(page, "#/network");
  await page.locator('[data-host="laptop"]').focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator('[data-host="web1"]')).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await expect(page.locator('[data-host="bastion"]')).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1, name: "bastion" })).toBeVisible();
  await page.keyboard.press("]");
  await expect(page.getByRole("heading", { level: 1, name: "gke" })).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("heading", { level: 1, name: "Network" })).toBeVisible();
});

test("the list holds the same hosts, and the filter works on both", async ({ page }) => {
  await open(page, "#/network");
  await page.keyboard.press("v");
  await expect(page.getByRole("row")).toHaveCount(8);
  await page.getByRole("searchbox", { name: "Filter hosts" }).fill("waiting");
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: "Graph" }).click();
  await expect(page.locator("[data-host].dim")).toHaveCount(6);
});

test("all forty hosts are in sight", async ({ page }) => {
  await open(page, "#/network", "many");
  await expect(page.locator("[data-host]")).toHaveCount(40);
  const frame = await page.getByRole("group", { name: /as a picture/ }).boundingBox();
  await expect
    .poll(async () => {
      const boxes = await Promise.all((await page.locator("[data-host]").all()).map((card) => card.boundingBox()));
      return boxes.every((box) => box !== null && frame !== null && box.x >= frame.x && box.x + box.width <= frame.x + frame.width && box.y + box.height <= frame.y + frame.height);
    })
    .toBe(true);
});

test("stopping a host asks first, and the safe answer has the focus", async ({ page }) => {
  await open(page, "#/host/web1");
  const stop = page.getByRole("main").getByRole("button", { name: "Stop" });
  await stop.click();
  await expect(page.getByRole("dialog", { name: "Stop web1?" }).getByRole("button", { name: "Cancel" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(stop).toBeFocused();
  await stop.click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("Stopped web1")).toBeVisible();
  await expect(page.getByRole("main").getByRole("button", { name: "Start" })).toBeVisible();
});

test("addresses and commands are copied, with an answer", async ({ page }) => {
  await open(page, "#/host/web1");
  await page.getByRole("button", { name: "Copy 127.0.42.101:8080" }).click();
  await expect(page.getByText("Copied 127.0.42.101:8080")).toBeVisible();
  expect(await copied(page)).toBe("127.0.42.101:8080");
  await page.getByRole("button", { name: "Copy the command" }).click();
  await expect.poll(() => copied(page)).toBe("ssh -o ServerAliveInterval=15 deploy@web1.example.com -- norouter agent --automated");
});

test("a secret is masked, sent, and nowhere in the page afterwards", async ({ page }) => {
  await open(page, "#/host/web1", "asking");
  await page.getByRole("main").getByRole("button", { name: "Answer" }).click();
  const field = page.getByLabel("Secret");
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute("type", "password");
  await page.keyboard.type("hunter2");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog").getByRole("status")).toContainText("Sent. Waiting for web1");
  await expect(page.getByText("connecting").first()).toBeVisible();
  expect(await page.content()).not.toContain("hunter2");
});

test("a question of yes and no has the safe answer in focus", async ({ page }) => {
  await open(page, "#/network");
  await page.getByRole("button", { name: "Answer" }).click();
  const dialog = page.getByRole("dialog", { name: "build asks" });
  await expect(dialog).toContainText("SHA256:");
  await expect(dialog.getByRole("button", { name: "No" })).toBeFocused();
});

test("a held command is shown as it was and as it is, and runs after approval", async ({ page }) => {
  await open(page, "#/host/db", "asking");
  await expect(page.locator(".changed")).toHaveText(["-p", "2222"]);
  await page.getByRole("button", { name: "Approve and start" }).click();
  await expect(page.getByText("Approved the command of db")).toBeVisible();
});

test("an address is explained step by step", async ({ page }) => {
  await open(page, "#/network");
  await page.keyboard.press("w");
  await page.keyboard.type("container:8081");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "container:8081 cannot be reached." })).toBeVisible();
  await expect(page.getByRole("list", { name: "Steps" }).getByRole("listitem")).toHaveCount(4);
  await expect(page.getByText("What to do")).toBeVisible();
});

test("the plan is asked for once, however often the network is told", async ({ page }) => {
  await page.goto("/#/network");
  await expect(page.locator("[data-host]")).toHaveCount(7);
  const first = await page.locator("html").getAttribute("data-plans");
  const uptime = page.getByRole("definition").first();
  const before = await uptime.textContent();
  await expect(uptime).not.toHaveText(before ?? "");
  expect(await page.locator("html").getAttribute("data-plans")).toBe(first);
  expect(first).toBe("1");
});
