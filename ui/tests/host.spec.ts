// The page of one host in a real browser: its ports, and its troubles with their remedies.
import { expect, type Page, test } from "@playwright/test";

import type { MockHosts } from "../src/mock/hosts";
import { copied, expectAccessible, open } from "./look";

test("an address that a host in trouble names is opened by a click, and all of it is visible", async ({ page }) => {
  await open(page, "#/host/web1", "login");
  const url = "https://login.example.com/a/1f2e3d?from=web1";
  const links = page.getByRole("button", { name: url, exact: true });
  await expect(links).toHaveCount(2);
  await expect(page.getByRole("button", { name: "https://example.com/" })).toHaveCount(0);
  await expect(page.locator("html")).not.toHaveAttribute("data-opened");
  await links.first().click();
  await expect(page.locator("html")).toHaveAttribute("data-opened", url);
  await expectAccessible(page);
});

const port = (page: Page, number: string) => page.getByRole("region", { name: "Published ports" }).getByRole("listitem").filter({ hasText: number }).first();

/** Opens the page of the host whose state is shown by this word, from the list of forty hosts. */
async function openOneThatIs(page: Page, state: string): Promise<void> {
  await open(page, "#/network", "many");
  await page.keyboard.press("v");
  await page.getByRole("row").filter({ hasText: state }).first().getByRole("link").click();
  await expect(page.getByRole("region", { name: "State" })).toContainText(state);
}

test("everything about a port is copied by keyboard alone, with an answer", async ({ page }) => {
  await open(page, "#/host/db");
  const more = page.getByRole("button", { name: "Copy other formats of 127.0.42.102:5432" });
  const texts = ["db:5432", "127.0.42.102:5432", "postgresql://db/", "postgresql://127.0.42.102/", "psql -h 127.0.42.102 -p 5432"];
  for (const [at, text] of texts.entries()) {
    await more.focus();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("menuitem")).toHaveCount(texts.length);
    for (let step = 0; step < at; step += 1) {
      await page.keyboard.press("ArrowDown");
    }
    await expect(page.locator(":focus")).toContainText(text);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("menu")).toBeHidden();
    await expect(page.getByText(`Copied ${text}`, { exact: true })).toBeVisible();
    expect(await copied(page)).toBe(text);
    await expect(more).toBeFocused();
  }
  await expect(page.getByRole("button", { name: "Open 127.0.42.102:5432 in the browser" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Open 127.0.42.102:9187 in the browser" })).toBeEnabled();
});

test("the host's name and address are copied from its head", async ({ page }) => {
  await open(page, "#/host/web1");
  await page.getByRole("button", { name: "Copy the name" }).click();
  await expect(page.getByText("Copied the name")).toBeVisible();
  expect(await copied(page)).toBe("web1");
  await page.getByRole("button", { name: "Copy the address" }).click();
  await expect.poll(() => copied(page)).toBe("127.0.42.101");
});

test("a port says in words whether it is open, where it is not and why, and when nobody knows", async ({ page }) => {
  await open(page, "#/host/web1");
  await expect(port(page, "8443")).toContainText("listening");
  await expect(port(page, "8443")).not.toContainText("except");
  await expect(port(page, "8080")).toContainText("listening, except on db");
  await expect(port(page, "8080")).toContainText("On db: cannot listen on 127.0.42.101:8080: address already in use");
  await page.goto("/?scene=office&still#/host/container");
  await expect(port(page, "8081")).toContainText("unknown until container is up");
});

test("how an agent gets onto a host with only a shell is told step by step, on its card, in the list and on its page", async ({ page }) => {
  const told = "Sending the agent, 620 kB of 1.4 MB, 150 kB/s, 6 s left";
  await open(page, "#/network", "installs");
  const card = page.locator('[data-host="web1"]');
  await expect(card).toContainText(told);
  await expect(card).toHaveAttribute("title", /^Sending the agent/);
  await expect(card.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "42");
  await expectAccessible(page);
  // A smaller card shows the same text in place of the state.
  await page.setViewportSize({ width: 1180, height: 780 });
  await expect(card).toHaveClass(/brief/);
  await expect(card).toContainText(told);
  await expectAccessible(page);
  await page.keyboard.press("v");
  await expect(page.getByRole("row").filter({ hasText: "web1" })).toContainText("Sending the agent");
  await page.goto("/?scene=installs&still#/host/web1");
  const standing = page.getByRole("region", { name: "State" });
  await expect(standing).toContainText(told);
  await expect(standing).not.toContainText("waiting for the agent");
  const bar = standing.getByRole("progressbar", { name: "Part of the agent that was sent" });
  const share = await bar.evaluate((bar) => (bar.firstElementChild?.clientWidth ?? 0) / bar.clientWidth);
  expect(share).toBeCloseTo(0.43, 1);
  await expectAccessible(page);
  for (const [step, words] of [["connect", "Looking for an agent"], ["verify", "Checking the agent"], ["start", "Starting the agent"]] as const) {
    await page.evaluate(
      (step) => (globalThis as unknown as { mockHosts: MockHosts }).mockHosts.change("web1", "greeting", { install: { step, kept: 0, size: 0 } }),
      step,
    );
    await expect(standing).toContainText(words);
    await expect(standing.getByRole("progressbar")).toHaveCount(0);
  }
  await page.evaluate(() => (globalThis as unknown as { mockHosts: MockHosts }).mockHosts.change("web1", "ready"));
  await expect(standing).toContainText("Reachable.");
  await expect(standing).not.toContainText("agent");
});

test("the path of a host is what OpenSSH tells, and else what its command says", async ({ page }) => {
  const facts = page.getByRole("region", { name: "Facts" });
  for (const [host, path] of [["db", "via gate.example.com"], ["bastion", "via jump.example.com"], ["web1", "direct"]] as const) {
    await page.goto(`/?scene=office&still#/host/${host}`);
    await expect(facts.getByRole("definition").filter({ hasText: /^(via|direct)/ })).toHaveText(path);
  }
});

test("a host that waits is tried again beside the reason", async ({ page }) => {
  await openOneThatIs(page, "retrying");
  const standing = page.getByRole("region", { name: "State" });
  await expect(standing.getByText(/^its agent has not answered .* may be down$/)).toBeVisible();
  await expect(standing.getByText("How to fix it")).toBeVisible();
  await expect(standing.getByText("check whether the host is up", { exact: true })).toBeVisible();
  await expectAccessible(page);
  await standing.getByRole("button", { name: "Retry now" }).click();
  await expect(standing).toContainText("connecting");
});

test("a host that is refused is started again, or its lines of the manifest are edited", async ({ page }) => {
  await openOneThatIs(page, "cannot start");
  const standing = page.getByRole("region", { name: "State" });
  await expect(standing.getByText("install a newer one on that host", { exact: true })).toBeVisible();
  await expectAccessible(page);
  const name = (await page.getByRole("heading", { level: 1 }).textContent()) ?? "";
  await standing.getByRole("button", { name: "Edit in manifest" }).click();
  await expect(page.locator("[data-host].selected")).toHaveAttribute("data-host", name);
  await page.keyboard.press("Alt+3");
  await expect(page.locator(".cm-activeLine")).toHaveText(`  ${name}:`);
  await page.goBack();
  await standing.getByRole("button", { name: "Try again" }).click();
  await expect(standing).toContainText("connecting");
});

test("what a host cannot listen on leads to the host that publishes it", async ({ page }) => {
  await open(page, "#/host/db");
  await page.getByRole("button", { name: "Edit web1 in manifest" }).click();
  await expect(page.locator("[data-host].selected")).toHaveAttribute("data-host", "web1");
  await page.keyboard.press("Alt+3");
  await expect(page.locator(".cm-activeLine")).toHaveText("  web1:");
});

test("the question of a host stands beside its answer, once", async ({ page }) => {
  await open(page, "#/host/build");
  const standing = page.getByRole("region", { name: "State" });
  await expect(standing.getByText(/authenticity of host/)).toHaveCount(1);
  await standing.getByRole("button", { name: "Answer" }).click();
  await expect(page.getByRole("dialog", { name: "build needs input" })).toBeVisible();
});

test("a long name leaves room for the address and for what can be done", async ({ page }) => {
  await page.setViewportSize({ width: 900, height: 600 });
  await openOneThatIs(page, "degraded");
  const name = await page.getByRole("heading", { level: 1 }).textContent();
  expect(name?.length).toBeGreaterThan(40);
  const names = ["Copy the name", "Copy the address", "Previous host", "Restart", "Stop"];
  const boxes = await Promise.all(names.map((one) => page.getByRole("main").getByRole("button", { name: one }).boundingBox()));
  for (const box of boxes) {
    expect(box !== null && box.x >= 184 && box.x + box.width <= 900).toBe(true);
  }
  const apart = boxes.every((one, at) => boxes.slice(at + 1).every((other) => one && other && (one.x + one.width <= other.x || one.y + one.height <= other.y)));
  expect(apart, "each of them stands right of or below the one before").toBe(true);
});

test("the menu of a port has no fault that axe can find, in both themes", async ({ page }) => {
  await open(page, "#/host/web1");
  await page.getByRole("button", { name: "Copy other formats of 127.0.42.101:8080" }).click();
  await expect(page.getByRole("menuitem").first()).toBeFocused();
  await expectAccessible(page);
});

test("a port says what answers there, on its page and on its card", async ({ page }) => {
  await page.setViewportSize({ width: 1920, height: 1080 });
  await open(page, "#/host/prod-us-queue-01", "hosts-8");
  await expect(port(page, "5672")).toContainText("listening");
  await expect(port(page, "5672")).toContainText("connection refused on prod-us-queue-01");
  await expect(port(page, "15672")).toContainText("not tried on prod-us-queue-01 yet");
  await page.getByRole("button", { name: "Test 127.0.42.104:5672" }).click();
  await expect(page.getByRole("dialog", { name: "Test a connection" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.goto("/?scene=hosts-8&still#/network");
  const card = page.locator('[data-host="prod-us-queue-01"]');
  await expect(card.getByTitle("Port 5672: connection refused")).toBeVisible();
  await expect(card.getByTitle("Port 15672: not tried yet")).toBeVisible();
});

test("a host that is not up listens on nothing yet, and its history has dates", async ({ page }) => {
  await open(page, "#/host/laptop");
  const services = page.getByRole("region", { name: "Listens on" });
  await expect(services).not.toContainText("Not yet");
  await expect(page.getByRole("region", { name: "History" }).locator("time").first()).toHaveText(/[A-Z][a-z]{2}.\d+ \d\d:\d\d:\d\d/);
  await page.getByRole("main").getByRole("button", { name: "Stop" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Stop" }).click();
  await expect(services).toContainText("Not yet: starts when laptop is up.");
});

test("an approved command is asked for anew, so that the one shown is the one that runs", async ({ page }) => {
  await open(page, "#/host/db", "asking");
  const asked = () => page.locator("html").getAttribute("data-plans");
  const before = await asked();
  await page.getByRole("button", { name: "Approve and start" }).click();
  await expect.poll(asked).not.toBe(before);
});

test("a host that is not up has dashes for its figures, and no curves of nothing", async ({ page }) => {
  await open(page, "#/host/container");
  const facts = page.getByRole("region", { name: "Facts" });
  await expect(facts.getByRole("definition")).toHaveText(["–", "–", "–", "–", "–"]);
  await expect(facts.locator("svg")).toHaveCount(0);
  await expect(page.getByText("B/s")).toHaveCount(0);
  await expect(page.getByRole("region", { name: "State" })).toContainText(/retrying.*next try in \d+\ss · attempt 4/);
});

test("a known cause comes with the command against it, to copy", async ({ page }) => {
  await open(page, "#/host/container");
  await page.getByRole("region", { name: "State" }).getByRole("button", { name: "Copy “podman start web”" }).click();
  await expect.poll(() => copied(page)).toBe("podman start web");
});

test("the programs that listen are listed, a new one appears by itself, and one is published", async ({ page }) => {
  await open(page, "#/host/web1");
  const programs = page.getByRole("region", { name: "Programs that listen" });
  await expect(programs.getByRole("listitem")).toHaveCount(2);
  await expect(programs.getByRole("listitem").filter({ hasText: "22" })).toContainText("program of another user");
  await expect(programs).not.toContainText("new");
  await page.evaluate(() => {
    const { mockHosts } = window as unknown as { mockHosts: MockHosts };
    mockHosts.listen("web1", { address: "127.0.0.1:3000", port: 3000, program: "node", process: 4711 });
  });
  const node = programs.getByRole("listitem").filter({ hasText: "node" }).filter({ hasText: "3000" });
  await expect(node).toContainText("new", { timeout: 15_000 });
  await expectAccessible(page);
  await node.getByRole("button", { name: "Publish 3000" }).click();
  await expect(page.getByText("Port 3000 of web1 was added to the manifest. Save the manifest to publish the port.")).toBeVisible();
  await expect(page.locator("#main").getByText("Unsaved changes", { exact: true })).toBeVisible();
  await page.keyboard.press("Alt+3");
  await expect(page.locator(".cm-content")).toContainText('- "3000:127.0.0.1:3000"');
});
