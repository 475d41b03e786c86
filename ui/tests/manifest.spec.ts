// The manifest page in a real browser.
import { expect, type Page, test } from "@playwright/test";
import type { MockDisk } from "../src/mock/manifest";
import { expectAccessible } from "./look";

const editor = (page: Page) => page.getByRole("textbox", { name: "Manifest text" });

async function open(page: Page, query = ""): Promise<void> {
  await page.goto(`/?still${query}#/manifest?view=text`);
  await expect(editor(page)).toBeVisible();
  await expect(page.getByText("No changes")).toBeVisible();
}

function disk(page: Page): Promise<string> {
  return page.evaluate(() => (globalThis as unknown as { mockDisk: MockDisk }).mockDisk.read());
}

/** Replaces a part of the file, as another program would. */
function outside(page: Page, from: string, to: string): Promise<void> {
  return page.evaluate(
    ([from, to]) => {
      const { mockDisk } = globalThis as unknown as { mockDisk: MockDisk };
      mockDisk.write(mockDisk.read().replace(from, to));
    },
    [from, to] as const,
  );
}

/** Moves the cursor to the end of the first line with these words. */
async function lineEnd(page: Page, words: string): Promise<void> {
  await page.locator(".cm-line").filter({ hasText: words }).first().click();
  await page.keyboard.press("End");
}

test("keys, values and hosts are completed from the schema and the text", async ({ page }) => {
  await open(page);
  await lineEnd(page, "127.0.42.101");
  await page.keyboard.press("Enter");
  await page.keyboard.type("soc");
  const offers = page.getByRole("listbox");
  await expect(offers.getByRole("option")).toHaveText(["socks"]);
  await expect(page.getByText("A SOCKS 4, 4a and 5 proxy on this host.")).toBeVisible();
  await offers.getByRole("option").click();
  await expect(offers.getByRole("option", { name: "listen" })).toBeVisible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+End");
  await page.keyboard.type("  - via: ");
  await expect(offers.getByRole("option").first()).toHaveText("laptop");
  await expect(offers.getByRole("option", { name: "bastion" })).toBeVisible();
});

test("a key says what it means", async ({ page }) => {
  await open(page);
  const key = page.locator(".cm-line").filter({ hasText: "cmd:" }).first().getByText("cmd");
  // After the text was redrawn, a pointer that does not move points at nothing. Therefore it is moved away and back, as
  // a person would do.
  await expect(async () => {
    await page.mouse.move(0, 0);
    await key.hover();
    await expect(page.getByText("The command that gives a pipe to norouter on the host.")).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 30_000 });
});

test("problems are shown in the gutter and in a list that leads to them", async ({ page }) => {
  await open(page);
  await lineEnd(page, "8443:127.0.0.1:443");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.type("4399");
  await expect(page.locator(".cm-lint-marker-error")).toBeVisible();
  await expect(page.getByText("No changes until the errors are fixed.")).toBeVisible();
  await expect(page.getByText("Fix these errors first")).toBeVisible();
  await page.keyboard.press("Control+Home");
  await page.getByRole("button", { name: /the port \d+ is larger than 65535/ }).click();
  await expect(editor(page)).toBeFocused();
  await page.keyboard.type("1");
  await expect(page.locator(".cm-activeLine")).toContainText("1443");
});

test("the effect is shown before it is saved by a key", async ({ page }) => {
  await open(page);
  const save = page.getByRole("button", { name: "Save" });
  await expect(save).toBeDisabled();
  await lineEnd(page, "hosts:");
  await page.keyboard.press("Enter");
  await page.keyboard.type("cache:\ncmd: ssh -p 2222 cache.example.com -- norouter");
  await expect(page.getByText(/^Adds cache: no connections interrupted, \d hosts unaffected\.$/)).toBeVisible();
  await expect(page.getByText("1 command to approve")).toBeVisible();
  await expect(page.locator(".argv span").filter({ hasText: /^2222$/ })).toBeVisible();
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeVisible();
  await page.keyboard.press("Control+s");
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
  expect(await disk(page)).toContain("\n  cache:\n    cmd: ssh -p 2222 cache.example.com -- norouter\n  laptop:");
  await expect(save).toBeDisabled();
});

test("an outside change appears at once, and the cursor stays", async ({ page }) => {
  await open(page);
  await lineEnd(page, "ssh db.example.com");
  await outside(page, "hosts:\n", "hosts:\n  # a line before\n");
  await expect(page.locator(".cm-line").filter({ hasText: "a line before" })).toBeVisible();
  await expect(page.locator(".cm-activeLine")).toContainText("ssh db.example.com");
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeHidden();
});

test("an outside change is never overwritten unseen", async ({ page }) => {
  test.slow();
  await open(page);
  await lineEnd(page, "ssh db.example.com");
  await page.keyboard.type(" # Mine.");
  await outside(page, "ssh db.example.com", "ssh -p 2222 db.example.com");
  await expect(page.getByText("office.yaml changed on disk while you were editing")).toBeVisible();
  await expect(page.getByRole("button", { name: "Save" })).toBeDisabled();
  await page.keyboard.press("Control+s");
  expect(await disk(page)).not.toContain("Mine.");
  await page.getByRole("button", { name: "Compare" }).click();
  const dialog = page.getByRole("dialog", { name: "Compare" });
  await expect(dialog.getByText("The file and your edits both changed 1 place")).toBeVisible();
  await expect(dialog.locator("pre")).toContainText([/^ {4}cmd: "ssh db/, /ssh -p 2222/, /# Mine\.$/]);
  await expect(dialog.locator(".gone")).toHaveCount(1);
  await expect(dialog.locator(".new")).toHaveCount(1);
  await expectAccessible(page);
  await dialog.getByRole("button", { name: "Keep mine" }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
  expect(await disk(page)).toContain("Mine.");
  expect(await disk(page)).not.toContain("2222");
});

test("an outside change of other lines is merged, and merging can be undone", async ({ page }) => {
  await open(page);
  await lineEnd(page, "# The network");
  await page.keyboard.type(" Mine.");
  const mine = await editor(page).innerText();
  await outside(page, "ssh db.example.com", "ssh -p 2222 db.example.com");
  await expect(page.getByText("office.yaml changed on disk. The change is merged with your edits.")).toBeVisible();
  await expect(editor(page)).toContainText("Mine.");
  await expect(editor(page)).toContainText("ssh -p 2222 db.example.com");
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(editor(page)).toHaveText(mine, { useInnerText: true });
  await page.getByRole("button", { name: /^Redo/ }).click();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
  expect(await disk(page)).toContain("Mine.");
  expect(await disk(page)).toContain("2222");
});

test("theirs can be taken, and edits survive a look at another page", async ({ page }) => {
  await open(page);
  await lineEnd(page, "# The network");
  await page.keyboard.type(" Mine.");
  await page.getByRole("link", { name: "Log" }).click();
  await page.getByRole("link", { name: "Manifest" }).click();
  await expect(page.locator(".cm-line").first()).toContainText("Mine.");
  await outside(page, "# The network", "# Theirs");
  await page.getByRole("button", { name: "Take theirs" }).click();
  await expect(page.locator(".cm-line").first()).toContainText("# Theirs");
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeHidden();
});

test("edits come back after the page was given up", async ({ page }) => {
  await open(page);
  await lineEnd(page, "127.0.42.101");
  await page.keyboard.type(" # mine");
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeVisible();
  await page.reload();
  await expect(editor(page)).toContainText("# mine");
  await expect(page.getByRole("main").getByText("Unsaved changes", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Discard" }).click();
  await page.reload();
  await expect(editor(page)).toBeVisible();
  await expect(editor(page)).not.toContainText("# mine");
});

test("a file that breaks outside shows where, and that the network goes on", async ({ page }) => {
  await open(page);
  await outside(page, "8080:127.0.0.1:80", "8080:127.0.0.1:99999");
  await expect(page.getByText("The file has errors. The network keeps running as before.")).toBeVisible();
  await expect(page.locator(".cm-lintRange-error")).toBeVisible();
});

test("Escape and Tab leave the editor, Tab alone indents", async ({ page }) => {
  await open(page);
  await lineEnd(page, "hosts:");
  await page.keyboard.press("Home");
  await page.keyboard.press("Tab");
  await expect(editor(page)).toBeFocused();
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Tab");
  await expect(editor(page)).not.toBeFocused();
});

test("line ends that differ from the others stay as they are", async ({ page }) => {
  await open(page);
  await outside(page, "hosts:\n", "hosts:\r\n");
  const before = await disk(page);
  await lineEnd(page, "# The network");
  await page.keyboard.type(" Mine.");
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
  expect(await disk(page)).toBe(before.replace("laptops.\n", "laptops. Mine.\n"));
});

test("a network of another program is for reading", async ({ page }) => {
  await open(page, "&scene=attached");
  await expect(page.getByText("Read-only: this network was started outside this app.")).toBeVisible();
  await expect(editor(page)).toHaveAttribute("aria-readonly", "true");
  const before = await editor(page).innerText();
  await editor(page).click();
  await page.keyboard.type("x");
  expect(await editor(page).innerText()).toBe(before);
  await expect(page.getByRole("button", { name: "Save" })).toHaveCount(0);
});

test("nothing keeps anybody out, light or dark", async ({ page }) => {
  test.slow();
  await open(page);
  await expectAccessible(page);
  await lineEnd(page, "ssh db.example.com");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.type(" -v");
  await page.keyboard.press("End");
  await page.keyboard.press("Enter");
  await page.keyboard.type("prots: [");
  await expect(page.getByText('"prots" is not known here')).toBeVisible();
  await expect(page.getByText(/^Restarts db/)).toBeVisible();
  await expectAccessible(page);
});

test("the person's own changes are shown line by line before they are saved", async ({ page }) => {
  await page.goto("/?still#/manifest?view=text");
  await expect(page.locator(".cm-line").first()).toBeVisible();
  await expect(page.getByRole("button", { name: "Review" })).toHaveCount(0);
  await page.locator(".cm-line").first().click();
  await page.keyboard.press("End");
  await page.keyboard.type(" Mine.");
  await page.getByRole("button", { name: "Review" }).click();
  const dialog = page.getByRole("dialog", { name: "Your changes" });
  await expect(dialog.locator(".line.new")).toHaveText(/Mine\.$/);
  await expect(dialog.locator(".line.gone")).toHaveCount(1);
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Review" })).toBeFocused();
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
  await expect(page.getByRole("button", { name: "Review" })).toHaveCount(0);
});

test("text, effect and approval are side by side before a new command runs, and above each other in a narrow window", async ({ page }) => {
  await open(page);
  await lineEnd(page, "hosts:");
  await page.keyboard.press("Enter");
  await page.keyboard.type("cache:\ncmd: ssh -p 2222 cache.example.com -- norouter");
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Your changes" });
  const [text, effect] = [dialog.getByRole("region", { name: "In the file" }), dialog.getByRole("region", { name: "In the running network" })];
  await expect(text.locator(".line.new")).toHaveCount(2);
  await expect(effect.getByText(/^Adds cache: /)).toBeVisible();
  await expect(effect.getByText("1 command to approve")).toBeVisible();
  await expect(effect.locator(".argv span").filter({ hasText: /^2222$/ })).toBeVisible();
  await expectAccessible(page);
  const boxes = async () => [await text.boundingBox(), await effect.boundingBox()] as const;
  const [left, right] = await boxes();
  expect((left?.x ?? 0) + (left?.width ?? 0)).toBeLessThanOrEqual(right?.x ?? 0);
  await page.setViewportSize({ width: 880, height: 700 });
  const [above, below] = await boxes();
  expect((above?.y ?? 0) + (above?.height ?? 0)).toBeLessThanOrEqual(below?.y ?? 0);
  expect(await disk(page)).not.toContain("cache");
  // The same key saves what is shown. That approves nothing: the app asks, as it does for any change of the file.
  await expect(dialog.getByText("After saving, the app asks for your approval.")).toBeVisible();
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
  await page.getByRole("link", { name: /^Network/ }).click();
  await page.getByRole("button", { name: "Approve and apply" }).click();
  await page.getByRole("link", { name: "Manifest" }).click();
  await expect(page.getByText("No changes", { exact: true })).toBeVisible();
});

test("a change that needs no approval is saved and applied, but not by a key that is held down", async ({ page }) => {
  await open(page);
  await lineEnd(page, "aliases:");
  await page.keyboard.type(" # Mine.");
  await page.getByRole("button", { name: "Review" }).click();
  const dialog = page.getByRole("dialog", { name: "Your changes" });
  await expect(dialog.getByRole("button", { name: "Save and apply" })).toBeEnabled();
  await dialog.evaluate((element) => element.dispatchEvent(new KeyboardEvent("keydown", { key: "s", ctrlKey: true, repeat: true, bubbles: true, cancelable: true })));
  await expect(dialog).toBeVisible();
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
});

test("who decides about a change is said if another program runs the network", async ({ page }) => {
  await open(page, "&scene=change-attached");
  await lineEnd(page, "hosts:");
  await page.keyboard.press("Enter");
  await page.keyboard.type("cache:\ncmd: ssh -p 2222 cache.example.com -- norouter");
  await page.keyboard.press("Control+s");
  const dialog = page.getByRole("dialog", { name: "Your changes" });
  await expect(dialog.getByText("norouter approve")).toBeVisible();
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
});

test("the comparison closes when the file changes, so that no button does something else", async ({ page }) => {
  await open(page);
  await lineEnd(page, "ssh db.example.com");
  await page.keyboard.type(" # Mine.");
  await page.getByRole("button", { name: "Review" }).click();
  await expect(page.getByRole("dialog", { name: "Your changes" })).toBeVisible();
  await outside(page, "ssh db.example.com", "ssh -p 2222 db.example.com");
  await expect(page.getByText("office.yaml changed on disk while you were editing")).toBeVisible();
  await expect(page.getByRole("dialog")).toHaveCount(0);
});

test("what a save has replaced can be looked at and taken again, and is saved only by the person", async ({ page }) => {
  await page.goto("/?still#/manifest?view=text");
  const first = page.locator(".cm-line").first();
  await expect(first).toBeVisible();
  await expect(page.getByRole("button", { name: "History" })).toHaveCount(0);
  await first.click();
  await page.keyboard.press("End");
  await page.keyboard.type(" Mine.");
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved office.yaml")).toBeVisible();
  await page.getByRole("button", { name: "History" }).click();
  const dialog = page.getByRole("dialog", { name: "History" });
  const when = dialog.getByLabel("The file as it was");
  await expect(when.locator("option")).toHaveText([/^since .+, saved from the text$/, /^since .+, as first seen$/]);
  await when.selectOption({ index: 0 });
  await expect(dialog.getByRole("region", { name: "What this change did" })).toContainText("Nothing changed for the network.");
  await expect(dialog.getByRole("button", { name: "Restore" })).toBeDisabled();
  await when.selectOption({ index: 1 });
  await expect(dialog.locator(".line.gone")).toHaveText(/Mine\.$/);
  await dialog.getByRole("button", { name: "Restore" }).click();
  await expect(first).not.toContainText("Mine.");
  await expect(page.getByText("Unsaved changes", { exact: true }).first()).toBeVisible();
  await page.getByRole("button", { name: "Undo", exact: true }).click();
  await expect(first).toContainText("Mine.");
  await page.getByRole("button", { name: "History" }).click();
  await dialog.getByRole("button", { name: "Restore" }).click();
  await page.keyboard.press("Control+s");
  await expect(page.getByText("Saved office.yaml").last()).toBeVisible();
  await page.getByRole("button", { name: "History" }).click();
  await expect(when.locator("option").first()).toHaveText(/restored$/);
});

test("undo and redo are the same in every view, and go back to the first text", async ({ page }) => {
  await page.clock.install();
  await open(page);
  const first = await disk(page);
  const text = () => page.evaluate(() => (JSON.parse(localStorage.getItem(`norouter.draft /home/ada/networks/office.yaml`) ?? "[null, null]") as [unknown, string | null])[1]);
  await lineEnd(page, "hosts:");
  await page.keyboard.press("Enter");
  await page.keyboard.type("cache:");
  await page.clock.fastForward(1000);
  await page.keyboard.type(" {}");
  await expect.poll(text).toContain("cache: {}");
  await page.keyboard.press("Control+z");
  await expect.poll(text).toContain("cache:\n");
  await page.keyboard.press("Control+z");
  await expect.poll(text).toBeNull();
  await page.keyboard.press("Control+Shift+z");
  await page.keyboard.press("Control+y");
  await expect.poll(text).toContain("cache: {}");
  await page.keyboard.press("Alt+2");
  await expect(page.getByRole("navigation", { name: "Parts of the manifest" })).toBeVisible();
  await page.keyboard.press("Control+z");
  await page.keyboard.press("Control+z");
  await expect.poll(text).toBeNull();
  expect(await disk(page)).toBe(first);
  await expect(page.getByRole("button", { name: "Nothing to undo" })).toBeDisabled();
});
