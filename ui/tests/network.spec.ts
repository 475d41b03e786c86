import { expect, type Page, test } from "@playwright/test";

import { copied, expectAccessible, open } from "./look";

const diagram = (page: Page) => page.getByRole("group", { name: /^Network diagram/ });

test("the diagram shows each link by the kind of its line", async ({ page }) => {
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
  await page.keyboard.press("ArrowUp");
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
  await page.getByRole("searchbox", { name: "Filter hosts" }).fill("retrying");
  await expect(page.getByRole("row")).toHaveCount(2);
  await page.getByRole("button", { name: "Diagram" }).click();
  await expect(page.locator("[data-host].dim")).toHaveCount(6);
});

for (const [width, height] of [[900, 600], [1180, 780], [1920, 1080]] as const) {
  for (const hosts of [1, 8, 40, 150]) {
    test(`${hosts} hosts are in sight at ${width}x${height}, with names that can be read`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      await open(page, "#/network", `hosts-${hosts}`);
      const cards = page.locator("[data-host]");
      await expect(cards).toHaveCount(hosts);
      const frame = await diagram(page).boundingBox();
      await expect
        .poll(() =>
          cards.evaluateAll(
            (all, frame) =>
              all.map((card) => card.getBoundingClientRect()).filter((box) => frame === null || box.left < frame.x || box.right > frame.x + frame.width || box.top < frame.y || box.bottom > frame.y + frame.height).length,
            frame,
          ),
        )
        .toBe(0);
      if (hosts < 150 || width > 900) {
        const sizes = await page.locator("[data-host] strong").evaluateAll((all) =>
          all.map((name) => parseFloat(getComputedStyle(name).fontSize) * (name.getBoundingClientRect().height / Math.max(1, (name as HTMLElement).offsetHeight))),
        );
        expect(sizes).toHaveLength(hosts);
        expect(Math.min(...sizes)).toBeGreaterThanOrEqual(9);
      }
    });
  }
}

test("the diagram shows more of a host as it becomes larger, and a map while something is out of sight", async ({ page }) => {
  await open(page, "#/network", "hosts-150");
  const card = page.locator('[data-host="laptop"]');
  const map = page.getByRole("img", { name: "Overview of the diagram" });
  await expect(card).toHaveClass(/name/);
  await expect(map).toBeHidden();
  const zoomIn = page.getByRole("button", { name: "Zoom in" });
  for (let step = 0; step < 3; step += 1) {
    await zoomIn.click();
  }
  await expect(card).toHaveClass(/brief/);
  await expect(map).toBeVisible();
  await card.focus();
  await expect(card).toBeInViewport({ ratio: 0.99 });
  await expectAccessible(page);
  for (let step = 0; step < 10; step += 1) {
    await page.getByRole("button", { name: "Zoom out" }).click();
  }
  await expect(card).toHaveClass(/dot/);
  await page.getByRole("button", { name: "Fit to window" }).click();
  await expect(card).toHaveClass(/name/);
});

test("groups are by name, path and state, and fold in the diagram and in the list", async ({ page }) => {
  await open(page, "#/network", "hosts-40");
  await page.getByLabel("Group hosts").selectOption("By path");
  const jump = page.getByRole("button", { name: /via jump-eu\.example\.com/ });
  await expect(jump).toHaveAttribute("aria-expanded", "true");
  const all = await page.locator("[data-host]").count();
  await jump.click();
  await expect(jump).toHaveAttribute("aria-expanded", "false");
  expect(await page.locator("[data-host]").count()).toBeLessThan(all);
  await expectAccessible(page);
  await page.getByRole("button", { name: "Expand all groups" }).click();
  await expect(page.locator("[data-host]")).toHaveCount(all);
  await page.getByRole("button", { name: "List" }).click();
  await page.getByLabel("Group hosts").selectOption("By state");
  await page.getByRole("button", { name: "Collapse all groups" }).click();
  await expect(page.getByRole("table").locator("tr[data-name]")).toHaveCount(0);
  await expectAccessible(page);
});

test("lines show which hosts are connected", async ({ page }) => {
  await open(page, "#/network");
  await expect(page.locator("[data-pair]").first()).toBeAttached();
  const ends = await page.locator("[data-pair]").evaluateAll((all) => all.map((line) => (line as SVGElement).dataset["pair"]));
  expect(ends).toContain("db laptop");
  // The jump host of db comes from the configuration of ssh, and the jump host of bastion from its command.
  await expect(page.locator(".hop")).toHaveText(["gate.example.com", "jump.example.com"]);
});

test("hosts keep their places over a new start", async ({ page }) => {
  await open(page, "#/network", "hosts-40");
  const places = () => page.locator("[data-host]").evaluateAll((all) => all.map((card) => card.parentElement?.style.transform));
  const before = await places();
  expect(new Set(before).size).toBe(40);
  await page.reload();
  await expect(page.locator("[data-host]")).toHaveCount(40);
  expect(await places()).toEqual(before);
});

test("states are chosen by buttons and by the address, and what is found comes into sight", async ({ page }) => {
  await open(page, "#/network?state=attention", "hosts-150");
  await expect(page.getByRole("button", { name: /^Needs attention/ })).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("[data-host]:not(.dim)")).toHaveCount(8);
  await page.getByRole("button", { name: /^Down/ }).click();
  await page.getByRole("button", { name: "List" }).click();
  await expect(page.getByRole("table").locator("tr[data-name]")).toHaveCount(10);
  await page.getByRole("searchbox", { name: "Filter hosts" }).fill("no such host");
  await expect(page.getByRole("heading", { name: "No matching hosts" })).toBeVisible();
  await page.getByRole("button", { name: "Show all hosts" }).last().click();
  await expect(page.getByRole("table").locator("tr[data-name]")).toHaveCount(150);
});

test("the list sorts, and cuts no name while there is room", async ({ page }) => {
  await page.setViewportSize({ width: 1180, height: 780 });
  await open(page, "#/network", "hosts-150");
  await page.keyboard.press("v");
  const names = page.getByRole("table").locator("td.name a");
  await expect(names).toHaveCount(150);
  const cut = await names.evaluateAll((all) => all.filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent));
  expect(cut.filter((name) => (name ?? "").length <= 36)).toEqual([]);
  expect(await page.locator(".sheet").evaluate((sheet) => sheet.scrollWidth - sheet.clientWidth)).toBe(0);
  const latency = page.getByRole("columnheader", { name: "Latency" });
  await latency.getByRole("button").click();
  await expect(latency).toHaveAttribute("aria-sort", "descending");
  const first = await names.first().textContent();
  await latency.getByRole("button").click();
  await expect(latency).toHaveAttribute("aria-sort", "ascending");
  expect(await names.first().textContent()).not.toBe(first);
  await latency.getByRole("button").click();
  await expect(names.first()).toHaveText("laptop");
});

test("a host has a menu in the diagram and in the list, by mouse and by key", async ({ page }) => {
  await open(page, "#/network");
  await page.locator('[data-host="web1"]').click({ button: "right" });
  await page.getByRole("menuitem", { name: /^Copy address/ }).click();
  expect(await copied(page)).toBe("127.0.42.101");
  await page.keyboard.press("v");
  await page.getByRole("link", { name: "db", exact: true }).focus();
  await page.keyboard.press("Shift+F10");
  await expect(page.getByRole("menu", { name: "Actions for db" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("menuitem", { name: "Show log" }).click();
  await expect(page.getByLabel("Host")).toHaveValue("db");
});

test("screen readers hear hosts and tools, and nothing of the drawing", async ({ page }) => {
  await open(page, "#/network");
  const heard = await diagram(page).ariaSnapshot();
  expect(heard).toContain("web1, ready, 127.0.42.101");
  expect(heard).not.toMatch(/handle|edge|node/i);
});

test("a minute of a network with 150 hosts changes little of the page", async ({ page }) => {
  await page.clock.install();
  await page.goto("/?scene=hosts-150#/network");
  await expect(page.locator("[data-host]")).toHaveCount(150);
  await page.clock.runFor(5_000);
  await page.evaluate(() => {
    const window = globalThis as unknown as { changes: number };
    window.changes = 0;
    new MutationObserver((all) => (window.changes += all.length)).observe(document.querySelector(".diagram") as Node, { subtree: true, childList: true, attributes: true, characterData: true });
  });
  await page.clock.runFor(60_000);
  // Cards of this size show a name and a state, and neither changes. Only the width of lines and the totals may change.
  expect(await page.evaluate(() => (globalThis as unknown as { changes: number }).changes)).toBeLessThan(60 * 40);
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
  const dialog = page.getByRole("dialog", { name: "build needs input" });
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
  await expect(page.getByText("How to fix it")).toBeVisible();
});

test("the plan is asked for once, however often the network is told", async ({ page }) => {
  await page.goto("/#/network");
  await expect(page.locator("[data-host]")).toHaveCount(7);
  const first = await page.locator("html").getAttribute("data-plans");
  const throughput = page.getByRole("definition").first();
  const before = await throughput.textContent();
  await expect(throughput).not.toHaveText(before ?? "");
  expect(await page.locator("html").getAttribute("data-plans")).toBe(first);
  expect(first).toBe("1");
});

test("the part of the diagram that was chosen comes back when a filter is taken away", async ({ page }) => {
  await open(page, "#/network", "hosts-150");
  const place = () => page.locator(".stage").evaluate((stage) => stage.style.transform);
  const whole = await place();
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.getByRole("button", { name: "Zoom in" }).click();
  const chosen = await place();
  expect(chosen).not.toBe(whole);
  const filter = page.getByRole("searchbox", { name: "Filter hosts" });
  await filter.fill("lab-2");
  await expect(page.locator('[data-host="lab-20"]')).toBeInViewport({ ratio: 0.99 });
  expect(await place()).not.toBe(chosen);
  await filter.fill("");
  await expect.poll(place).toBe(chosen);
  await page.getByRole("button", { name: "Fit to window" }).click();
  await expect.poll(place).toBe(whole);
});

test("a page of a host opens in the browser from its card", async ({ page }) => {
  await open(page, "#/network");
  await page.locator('[data-host="web1"]').click({ button: "right" });
  await page.getByRole("menuitem", { name: /^Open 8080 in the browser/ }).click();
  await expect(page.locator("html")).toHaveAttribute("data-opened", "http://127.0.42.101:8080/");
  await page.locator('[data-host="container"]').click({ button: "right" });
  await expect(page.getByRole("menuitem", { name: "Open host page" })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: /in the browser/ })).toHaveCount(0);
});
