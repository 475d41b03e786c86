// The picture of the manifest, edited with the pointer alone and with the keyboard alone.
import { expect, type Locator, type Page, test } from "@playwright/test";

import { expectAccessible, open, save } from "./look";

const PLACE = "#/manifest?view=picture";
const card = (page: Page, name: string) => page.locator(`[data-host="${name}"]`);
const cloud = (page: Page, number: number) => page.locator(`[data-cloud="${number - 1}"]`);
const draft = (page: Page) => page.getByRole("form", { name: /^New host/ });

const portField = (page: Page) => page.getByRole("textbox", { name: "Port of web1" });

/** The content of the file. */
function file(page: Page): Promise<string> {
  return page.evaluate(() => (globalThis as unknown as { mockDisk: { read: () => string } }).mockDisk.read());
}

async function drag(page: Page, from: Locator, to: { x: number; y: number }): Promise<void> {
  const box = await from.boundingBox();
  if (box === null) {
    throw new Error("nothing to drag");
  }
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 + 8, box.y + box.height / 2 + 8);
  await page.mouse.move(to.x, to.y, { steps: 5 });
  await page.mouse.up();
}

async function middle(of: Locator): Promise<{ x: number; y: number }> {
  const box = await of.boundingBox();
  return { x: (box?.x ?? 0) + (box?.width ?? 0) / 2, y: (box?.y ?? 0) + (box?.height ?? 0) / 2 };
}

test("with the pointer alone, nothing becomes three hosts, a port and a route", async ({ page }) => {
  await open(page, PLACE, "hosts-0");
  await expect(page.getByRole("heading", { name: "No hosts yet" })).toBeVisible();
  await page.getByRole("button", { name: "Add this machine" }).click();
  await expect(draft(page)).toBeVisible();
  await draft(page).getByRole("button", { name: "Add", exact: true }).click();
  await expect(card(page, "laptop")).toBeVisible();
  await expect(card(page, "laptop")).toHaveAccessibleName(/this machine, 127\.0\.42\.\d+, 0 ports, new/);

  // The person types only the texts in fields, and does everything else with the pointer.
  const ground = await page.locator(".ground").boundingBox();
  await drag(page, page.getByRole("button", { name: "Add ssh" }), { x: (ground?.x ?? 0) + 300, y: (ground?.y ?? 0) + 380 });
  await draft(page).getByLabel("Destination of ssh").fill("me@web1.example.com");
  await expect(draft(page).getByLabel("Name")).toHaveValue("web1");
  await draft(page).getByRole("button", { name: "Add", exact: true }).click();
  await expect(card(page, "web1")).toBeVisible();

  await page.mouse.dblclick((ground?.x ?? 0) + 40, (ground?.y ?? 0) + (ground?.height ?? 0) - 90);
  await page.getByRole("menuitem", { name: "podman" }).click();
  await draft(page).getByLabel("Container").fill("app");
  await draft(page).getByRole("button", { name: "Add", exact: true }).click();
  await expect(card(page, "app")).toBeVisible();

  // The new card was moved into sight, and the others may be out of it.
  await page.getByRole("button", { name: "Fit to window" }).click();
  await card(page, "web1").getByRole("button", { name: "Publish a port of web1" }).click();
  await page.getByLabel("Port of web1").fill("8080:80");
  await page.locator("h1").click();
  await expect(card(page, "web1").locator(".socket")).toHaveText(/8080\s*80/);
  // The effect of the previous text is drawn fainter until the new effect is known.
  await expect(page.locator(".stale")).toHaveCount(0);
  await expectAccessible(page);

  const handle = card(page, "web1").locator(".handle");
  const from = await middle(handle);
  await drag(page, handle, { x: from.x + 90, y: from.y + 20 });
  await page.getByLabel("Add a destination").fill("10.0.0.0/8");
  await page.locator("h1").click();
  await expect(cloud(page, 1)).toHaveAccessibleName(/^Route 1 through web1 to 10\.0\.0\.0\/8/);
  await cloud(page, 1).getByRole("button", { name: "Add an exception" }).click();
  await page.getByLabel("Add an exception").fill("10.9.0.0/16");
  await page.locator("h1").click();
  await expect(cloud(page, 1).locator(".chip.notTo")).toHaveText(/10\.9\.0\.0\/16/);

  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("dialog", { name: "Your changes" }).getByRole("button", { name: "Save", exact: true }).click();
  await expect.poll(() => file(page)).toContain("10.9.0.0/16");
  const text = await file(page);
  expect(text).toMatch(/laptop:\n\s+vip: "127\.0\.42\.\d+"/);
  expect(text).toContain("ssh: me@web1.example.com");
  expect(text).toContain("podman: app");
  expect(text).toContain('"8080:127.0.0.1:80"');
  expect(text).toMatch(/via: web1\n\s+to:/);
  expect(text).toContain("10.9.0.0/16");

  // A port that is dragged off its card is removed, and undo restores it.
  const away = await middle(card(page, "web1"));
  await drag(page, card(page, "web1").locator(".socket"), { x: away.x - 10, y: away.y + 160 });
  await expect(card(page, "web1").locator(".socket")).toHaveCount(0);
  await page.getByRole("button", { name: /^Undo/ }).first().click();
  await expect(card(page, "web1").locator(".socket")).toHaveCount(1);

  // If a cloud is dropped on another host, its route leads through that host.
  await drag(page, cloud(page, 1).locator(".head > .clip"), await middle(card(page, "app")));
  await expect(cloud(page, 1)).toHaveAccessibleName(/through app/);
});

test("with the keyboard alone, nothing becomes three hosts, a port and a route", async ({ page }) => {
  await open(page, PLACE, "hosts-0");
  const keyboard = page.keyboard;
  const type = async (text: string) => {
    await keyboard.type(text);
    await keyboard.press("Enter");
  };
  await keyboard.press("n");
  await keyboard.press("Enter");
  await expect(draft(page).getByLabel("Name")).toBeFocused();
  await keyboard.press("Enter");
  await expect(card(page, "laptop")).toBeFocused();

  await keyboard.press("n");
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await expect(draft(page).getByLabel("Name")).toBeFocused();
  // Enter moves the focus to the field that is missing.
  await keyboard.press("Enter");
  await expect(draft(page).getByLabel("Destination of ssh")).toBeFocused();
  await expect(draft(page).getByText("Enter the destination of ssh.")).toBeVisible();
  await type("gate.example.com");
  await expect(card(page, "gate")).toBeFocused();

  await keyboard.press("n");
  await keyboard.press("ArrowDown");
  await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await keyboard.press("Enter");
  await type("shop");
  await expect(card(page, "shop")).toBeFocused();

  await keyboard.press("p");
  await keyboard.press("Enter");
  await expect(card(page, "shop").locator(".socket")).toHaveCount(1);
  // The focus is at the button that publishes the next port, and Escape leaves the parts of the card.
  await expect(card(page, "shop").getByRole("button", { name: "Publish a port of shop" })).toBeFocused();
  await keyboard.press("Escape");
  await expect(card(page, "shop")).toBeFocused();

  await card(page, "gate").focus();
  await keyboard.press("r");
  await type("not a pattern/");
  await expect(page.getByRole("alert")).toContainText("A destination is");
  await keyboard.press("Control+a");
  await type("*.internal");
  await expect(cloud(page, 1)).toBeFocused();
  await keyboard.press("x");
  await type("printer.internal");
  await expect(cloud(page, 1).locator(".chip.notTo")).toHaveCount(1);

  await card(page, "shop").focus();
  await keyboard.press("F2");
  await keyboard.press("Control+a");
  await type("store");
  await expect(card(page, "store")).toBeFocused();
  await keyboard.press("Control+d");
  await expect(card(page, "store2")).toBeFocused();
  await keyboard.press("Delete");
  await expect(card(page, "store2")).toHaveCount(0);
  await expect(page.locator("[data-host]:focus")).toHaveCount(1);
  await card(page, "gate").focus();
  await keyboard.press("t");
  await keyboard.press("Control+a");
  await type("gate2.example.com");
  await expect(card(page, "gate")).toContainText("gate2.example.com");

  await save(page);
  await expect.poll(() => file(page)).toContain("gate2.example.com");
  const text = await file(page);
  expect(text).toContain("docker: shop");
  expect(text).toContain("ssh: gate2.example.com");
  expect(text).toMatch(/"\d+:127\.0\.0\.1:\d+"/);
  expect(text).toContain("*.internal");
  // Every step can be undone. Afterwards, saving would remove the hosts that are in the file now.
  for (let step = 0; step < 20; step += 1) {
    await keyboard.press("Control+z");
  }
  await expect(page.locator("[data-host]")).toHaveCount(3);
  await expect(page.locator('[data-host][aria-label*="will be removed"]')).toHaveCount(3);
  await expect(page.getByRole("button", { name: "Nothing to undo" })).toBeDisabled();
});

test("arrow keys move between cards, and Enter opens the form", async ({ page }) => {
  await open(page, PLACE);
  await card(page, "laptop").focus();
  await page.keyboard.press("ArrowDown");
  await expect(page.locator("[data-host]:focus, [data-cloud]:focus")).toHaveCount(1);
  await expect(page.locator('[data-host="laptop"]')).not.toBeFocused();
  await page.keyboard.press("ArrowUp");
  await expect(card(page, "laptop")).toBeFocused();
  await expect(card(page, "laptop")).toHaveAttribute("tabindex", "0");
  await expect(page.locator('[data-host][tabindex="0"], [data-cloud][tabindex="0"]')).toHaveCount(1);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Form" })).toHaveAttribute("aria-pressed", "true");
});

test("what saving changes is drawn before it is saved", async ({ page }) => {
  await open(page, PLACE);
  await card(page, "container").click({ button: "right" });
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect(card(page, "container")).toHaveAccessibleName(/will be removed/);
  await card(page, "db").focus();
  await page.keyboard.press("t");
  await page.keyboard.press("End");
  await page.keyboard.type(" -v");
  await page.keyboard.press("Enter");
  await expect(card(page, "db")).toHaveAccessibleName(/restarts, \d+ connections? drops?/);
  await card(page, "web1").focus();
  await page.keyboard.press("p");
  await page.keyboard.press("Enter");
  await expect(card(page, "web1")).toHaveAccessibleName(/changed/);
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.getByRole("button", { name: "Zoom in" }).click();
  await expectAccessible(page);
});

test("open ports of a host that is up are proposed", async ({ page }) => {
  await open(page, PLACE);
  await card(page, "web1").focus();
  await page.keyboard.press("p");
  await page.getByRole("group", { name: "Ports on which web1 listens" }).getByRole("button", { name: /9100/ }).click();
  await expect(card(page, "web1").locator(".socket", { hasText: "9100" })).toHaveCount(1);
});

test("the order of routes is shown where two could both match, and can be changed", async ({ page }) => {
  await open(page, PLACE);
  await expect(page.locator(".order")).toHaveCount(0);
  await card(page, "gke").focus();
  await page.keyboard.press("r");
  await page.keyboard.type("10.20.7.0/24");
  await page.keyboard.press("Enter");
  await expect(cloud(page, 3)).toBeFocused();
  await expect(page.locator(".order")).toHaveText(["1", "3"]);
  await page.keyboard.press("[");
  await expect(cloud(page, 2)).toBeFocused();
  await expect(cloud(page, 2)).toHaveAccessibleName(/^Route 2 through gke to 10\.20\.7\.0\/24.*Could match the same destinations as route 1\. The later route wins\./);
  await page.keyboard.press("Delete");
  await expect(page.locator("[data-cloud]")).toHaveCount(2);
});

test("several hosts are selected, aligned, moved and removed together, and places are remembered", async ({ page }) => {
  await open(page, PLACE);
  await card(page, "laptop").click({ position: { x: 40, y: 12 } });
  await card(page, "web1").click({ position: { x: 40, y: 12 }, modifiers: ["Shift"] });
  await expect(page.getByRole("button", { name: "Align top edges" })).toBeVisible();
  await page.getByRole("button", { name: "Align top edges" }).click();
  const top = async (name: string) => Math.round((await card(page, name).boundingBox())?.y ?? 0);
  await expect.poll(async () => (await top("laptop")) - (await top("web1"))).toBe(0);
  const places = () => page.locator("[data-host]").evaluateAll((all) => all.map((one) => one.parentElement?.style.transform));
  const before = await places();
  await card(page, "laptop").focus();
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(places).not.toEqual(before);
  const after = await places();
  // Places are not a part of the text, so there is nothing to save.
  await expect(page.getByText("Unsaved changes", { exact: true })).toHaveCount(0);
  await page.reload();
  await expect(page.locator("[data-host]")).toHaveCount(7);
  expect(await places()).toEqual(after);
  await page.getByRole("button", { name: "Arrange all hosts" }).click();
  await expect.poll(places).not.toEqual(after);
});

test("Shift and the pointer draw a frame that selects, and Escape lets go of what is dragged", async ({ page }) => {
  await open(page, PLACE);
  const box = await page.locator(".ground").boundingBox();
  const [left, top, right, bottom] = [(box?.x ?? 0) + 5, (box?.y ?? 0) + 5, (box?.x ?? 0) + (box?.width ?? 0) - 5, (box?.y ?? 0) + (box?.height ?? 0) - 60];
  await page.keyboard.down("Shift");
  await page.mouse.move(left, top);
  await page.mouse.down();
  await page.mouse.move(right, bottom, { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up("Shift");
  await expect(page.locator("[data-host].selected")).toHaveCount(7);
  const places = () => page.locator("[data-host]").evaluateAll((all) => all.map((one) => one.parentElement?.style.transform));
  const before = await places();
  const at = await middle(card(page, "web1"));
  await page.mouse.move(at.x, at.y);
  await page.mouse.down();
  await page.mouse.move(at.x + 60, at.y + 60, { steps: 3 });
  expect(await places()).not.toEqual(before);
  await page.keyboard.press("Escape");
  await page.mouse.up();
  expect(await places()).toEqual(before);
});

test("150 hosts stand in folded groups, and a host is found by its name", async ({ page }) => {
  await open(page, PLACE, "hosts-150");
  await expect(page.locator("[data-host]")).toHaveCount(0);
  await expect(page.locator("[data-group]")).toHaveCount(8);
  await expectAccessible(page);
  await page.keyboard.press("Control+f");
  await page.keyboard.type("ci-runner-07");
  await page.keyboard.press("Enter");
  await expect(card(page, "ci-runner-07")).toBeFocused();
  // The picture is large enough for everything on the card to be read and edited.
  await expect(card(page, "ci-runner-07")).toHaveClass(/^card card /);
  await expect(card(page, "ci-runner-07")).toBeInViewport({ ratio: 0.99 });
  await expect(page.locator('[data-group][aria-expanded="true"]')).toHaveCount(1);
  await page.getByRole("button", { name: "Expand groups" }).click();
  await expect(page.locator('[data-group][aria-expanded="true"]')).toHaveCount(8);
  await expect(page.locator("[data-host]")).toHaveCount(150);
  await page.getByRole("button", { name: "Collapse groups" }).click();
  await expect(page.locator('[data-group][aria-expanded="false"]')).toHaveCount(8);
});

test("Ctrl+S in an open field saves what is typed there", async ({ page }) => {
  await open(page, PLACE);
  await card(page, "web1").focus();
  await page.keyboard.press("p");
  await portField(page).fill("7070:70");
  await save(page);
  await expect.poll(() => file(page)).toContain('"7070:127.0.0.1:70"');
  await expect(portField(page)).toHaveCount(0);
  await expect(page.getByText("Unsaved changes", { exact: true })).toHaveCount(0);
});

test("a text in an open field is not taken for a value that has changed meanwhile, and does not vanish", async ({ page }) => {
  await open(page, PLACE);
  await card(page, "web1").getByRole("button", { name: /^Port 8443 of web1/ }).click();
  await portField(page).fill("9443:443");
  // Another program changes the same port.
  await page.evaluate(() => {
    const { mockDisk } = globalThis as unknown as { mockDisk: { read: () => string; write: (text: string) => void } };
    mockDisk.write(mockDisk.read().replace('"8443:127.0.0.1:443"', '"8444:127.0.0.1:444"'));
  });
  await expect(page.getByRole("button", { name: "remove port 8444 of web1" })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("alert")).toContainText("This value has changed meanwhile");
  await expect(portField(page)).toHaveValue("9443:443");
  await page.keyboard.press("Escape");
  await expect(card(page, "web1").getByRole("button", { name: /^Port 8444 of web1/ })).toBeFocused();
});

test("a field that is not valid keeps its text while another one is open", async ({ page }) => {
  await open(page, PLACE);
  await card(page, "web1").getByRole("button", { name: /^Port 8080 of web1/ }).click();
  await portField(page).fill("70000");
  await card(page, "web1").getByRole("button", { name: /^Port 8443 of web1/ }).click();
  await expect(portField(page)).toHaveValue("8443:127.0.0.1:443");
  await page.keyboard.press("Escape");
  await card(page, "web1").getByRole("button", { name: /^Port 8080 of web1/ }).click();
  await expect(portField(page)).toHaveValue("70000");
});

test("a network that somebody else runs is shown, and cannot be edited", async ({ page }) => {
  await open(page, PLACE, "attached");
  await expect(page.locator("[data-host]").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Add host" })).toHaveCount(0);
  await page.locator("[data-host]").first().focus();
  await page.keyboard.press("F2");
  await expect(page.locator(".picture input[type=text]")).toHaveCount(0);
});

test("a card stays in its place when its host is renamed in the form, and when that is undone", async ({ page }) => {
  await open(page, PLACE);
  const before = await card(page, "web1").locator("xpath=..").evaluate((spot) => (spot as HTMLElement).style.transform);
  const web1 = await middle(card(page, "web1"));
  await drag(page, card(page, "web1").locator(".top"), { x: web1.x + 330, y: web1.y + 310 });
  // The place in the picture, wherever the window is.
  const place = (name: string) => card(page, name).locator("xpath=..").evaluate((spot) => (spot as HTMLElement).style.transform);
  const moved = await place("web1");
  expect(moved).not.toBe(before);
  await card(page, "web1").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("shop");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "shop", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Picture", exact: true }).click();
  await expect(card(page, "shop")).toBeVisible();
  expect(await place("shop")).toBe(moved);
  await page.getByRole("button", { name: /^Undo: / }).click();
  await expect(card(page, "web1")).toBeVisible();
  expect(await place("web1")).toBe(moved);
});

test("a cloud is moved by pointer and by key, and its place is remembered", async ({ page }) => {
  await open(page, PLACE);
  const before = await cloud(page, 1).boundingBox();
  await drag(page, cloud(page, 1).locator(".head"), { x: (before?.x ?? 0) + 60, y: (before?.y ?? 0) + 330 });
  const after = await cloud(page, 1).boundingBox();
  expect(after?.y).toBeGreaterThan((before?.y ?? 0) + 250);
  await cloud(page, 1).focus();
  await page.keyboard.press("Alt+ArrowDown");
  await expect.poll(async () => (await cloud(page, 1).boundingBox())?.y).toBeGreaterThan(after?.y ?? 0);
  const last = await cloud(page, 1).boundingBox();
  expect(await file(page)).toContain("via: bastion");
  await page.reload();
  await expect(cloud(page, 1)).toBeVisible();
  const again = await cloud(page, 1).boundingBox();
  expect(Math.abs((again?.y ?? 0) - (last?.y ?? 0))).toBeLessThan(3);
  await page.getByRole("button", { name: "Arrange all hosts" }).click();
  await expect.poll(async () => (await cloud(page, 1).boundingBox())?.y).toBeLessThan((before?.y ?? 0) + 60);
});

test("a new host is chosen among what was found on this machine", async ({ page }) => {
  await open(page, PLACE);
  await page.getByRole("button", { name: "Add kubernetes" }).click();
  const form = draft(page);
  await form.getByRole("combobox", { name: "Pods of the context" }).selectOption("production");
  await expect(form.getByRole("button", { name: /^production\/shop/ })).toBeVisible();
  await form.getByRole("combobox", { name: "Pods of the context" }).selectOption("staging");
  await form.getByRole("button", { name: /^staging\/default\/deployment\/api/ }).click();
  await expect(form.getByLabel("Name")).toHaveValue("api");
  await expectAccessible(page);
  await page.keyboard.press("Enter");
  await expect(card(page, "api")).toBeVisible();

  // By keyboard: the arrows lead from the field to the list.
  await page.keyboard.press("n");
  await page.getByRole("menuitem", { name: "podman" }).focus();
  await page.keyboard.press("Enter");
  await expect(form.getByLabel("Name")).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(form.getByLabel("Container")).toBeFocused();
  await expect(form.getByLabel("Container")).toHaveValue("web");
  await page.keyboard.press("Enter");
  await expect(card(page, "web")).toBeFocused();
  await save(page);
  expect(await file(page)).toMatch(/api:\n(.*\n)*\s+kubernetes:\n\s+context: staging\n\s+namespace: default\n\s+deployment: api\n/);
  expect(await file(page)).toContain("podman: web");
});
