// Measures how long the picture takes to draw an edit. Times depend on the machine, so the test only checks how they
// grow with the number of hosts, and prints them for people. It compares processor times, because other programs do not
// change these.
import { expect, type Page, test } from "@playwright/test";

import type { FieldOutline } from "../src/lib/types/FieldOutline";
import type { Outline } from "../src/lib/types/Outline";
import type { Origin } from "../src/lib/types/Origin";
import type { MockModel } from "../src/mock/manifest";
import { open } from "./look";

type Times = { cpu: number; scriptP50: number; scriptP99: number; wholeP99: number; cards: number; sockets: number };

/** Shows a manifest with many hosts, and edits one port after the other. */
async function measured(page: Page, hosts: number, edits: number): Promise<Times> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () => (await session.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")?.value ?? 0;
  await prepared(page, hosts, edits);
  const before = await spent();
  const times = await edited(page);
  return { ...times, cpu: ((await spent()) - before) * 1000 / edits };
}

/** Makes outlines of a manifest with many hosts. One port differs between each outline and the next one. */
function prepared(page: Page, hosts: number, edits: number): Promise<void> {
  return page.evaluate(
    async ([hosts, edits]) => {
      const { mockModel } = window as unknown as { mockModel: MockModel };
      const own = (index: number | null): Origin => ({ kind: "own", index });
      const field = (name: string, value: string | string[]): FieldOutline => ({ field: name, value, origin: own(null), items: Array.isArray(value) ? value.map((_, at) => own(at)) : null });
      const ports = (at: number, changed: number) => Array.from({ length: 10 }, (_, each) => `${each === 0 && at === changed % hosts ? 20_000 + changed : 9000 + each}:127.0.0.1:${each + 1}`);
      // Each outline consists of new objects, as in the app, where no answer shares objects with the one before.
      const outline = (changed: number): Outline => ({
        hosts: Array.from({ length: hosts }, (_, at) => {
          const name = `node-${at}`;
          return { name, vip: `127.0.${40 + Math.floor(at / 250)}.${at % 250}`, way: "ssh", argv: ["ssh", name], fields: [field("ssh", name), field("ports", ports(at, changed))], line: at * 20 + 1 };
        }),
        template: [],
        network: [],
        routes: [0, 1, 2, 3].map((at) => ({ fields: [field("via", `node-${at}`), field("to", [`10.${at}.0.0/16`, `*.r${at}.internal`])] })),
        policy: null,
        nextVip: null,
        nextPort: 8080,
      });
      if (mockModel.draft !== null) {
        mockModel.draft = { ...mockModel.draft, text: `${mockModel.draft.text}# edited\n` };
      }
      mockModel.savedOutline = outline(0);
      mockModel.outline = outline(0);
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      Object.assign(window, { outlines: Array.from({ length: edits }, (_, edit) => outline(edit + 1)) });
    },
    [hosts, edits] as const,
  );
}

/** Shows one outline after the other. */
function edited(page: Page): Promise<Omit<Times, "cpu">> {
  return page.evaluate(async () => {
      const { mockModel, outlines } = window as unknown as { mockModel: MockModel; outlines: Outline[] };
      const script: number[] = [];
      const whole: number[] = [];
      for (const next of outlines) {
        const begin = performance.now();
        mockModel.outline = next;
        // The effects of the page run before the next line.
        await Promise.resolve();
        script.push(performance.now() - begin);
        void document.body.offsetHeight;
        whole.push(performance.now() - begin);
        await new Promise((done) => requestAnimationFrame(done));
      }
      const at = (all: number[], part: number) => all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(all.length * part))] ?? 0;
      return {
        scriptP50: at(script, 0.5),
        scriptP99: at(script, 0.99),
        wholeP99: at(whole, 0.99),
        cards: document.querySelectorAll("[data-host]").length,
        sockets: document.querySelectorAll(".picture .socket").length,
      };
  });
}

for (const [name, steps] of [["the whole picture", 0], ["a part that can be read", 12]] as const) {
  test(`an edit costs no more than its share of the hosts, with ${name} in sight`, async ({ page }) => {
    const times: Times[] = [];
    for (const hosts of [50, 200]) {
      await page.goto("about:blank");
      await open(page, "#/manifest?view=picture", "hosts-1");
      await expect(page.locator("[data-host]")).toHaveCount(1);
      // Many hosts are grouped by themselves, unless somebody has chosen.
      const group = page.getByRole("button", { name: "Group by name" });
      await group.click();
      await group.click();
      await expect(group).toHaveAttribute("aria-pressed", "false");
      await measured(page, hosts, 3);
      const zoomIn = page.getByRole("button", { name: "Zoom in" });
      await zoomIn.evaluate((button: HTMLElement, steps) => Array.from({ length: steps }, () => button.click()), steps);
      times.push(await measured(page, hosts, 120));
    }
    const [few, many] = times;
    const told = (one?: Times) => `${one?.cards} cards, ${one?.sockets} sockets drawn: ${one?.cpu.toFixed(2)} ms of the processor; script p50 ${one?.scriptP50.toFixed(1)} ms, p99 ${one?.scriptP99.toFixed(1)} ms; with layout p99 ${one?.wholeP99.toFixed(1)} ms`;
    console.log(`${name}: ${told(few)}; ${told(many)}`);
    expect(many?.cards).toBe(200);
    expect(many !== undefined && many.sockets > 0).toBe(steps > 0);
    // There are four times as many hosts. The time must grow clearly less than with their square, which would be
    // sixteen times.
    expect((many?.cpu ?? 0) / (few?.cpu ?? 0)).toBeLessThan(10);
  });
}
