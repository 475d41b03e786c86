import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { install } from "../../mock/backend";
import type { MockDisk } from "../../mock/manifest";
import { ipc } from "../ipc";
import { listen } from "../store.svelte";
import type { Checked } from "../types/Checked";
import type { ConsentHost } from "../types/ConsentHost";
import type { Effect } from "../types/Effect";
import { applying, needsReview } from "./applying.svelte";
import { manifestModel } from "./manifest.svelte";

const command = (host: string): ConsentHost => ({ host, vip: "127.0.42.1", command: ["ssh", host], previous: null, change: "new" });
const checked = (more: Partial<Effect> = {}): Checked => ({ problems: [], effect: { lines: [], drops: 0, untouched: 3, commands: [], grants: [], ...more } });

it("what needs approval, takes something away or could not be checked is shown before it is saved", () => {
  const shows = (more: Partial<Effect>) => needsReview(checked(more));
  expect(shows({})).toBe(false);
  expect(shows({ lines: [{ kind: "reconfigure", host: "db", text: "" }] })).toBe(false);
  expect(shows({ commands: [command("db")] })).toBe(true);
  expect(shows({ grants: ["web may write"] })).toBe(true);
  expect(shows({ drops: 2 })).toBe(true);
  expect(shows({ lines: [{ kind: "remove", host: "db", text: "" }] })).toBe(true);
  expect(needsReview({ problems: [], effect: null })).toBe(false);
  expect(needsReview(null)).toBe(true);
});

describe("a save in a running network", () => {
  type Asked = { text: string; answer: (result: Checked) => void; fail: (error: unknown) => void };
  const disk = () => (window as unknown as { mockDisk: MockDisk }).mockDisk;
  let first = "";
  let asked: Asked[] = [];

  beforeAll(async () => {
    history.replaceState(null, "", "/?scene=office&still");
    install();
    await listen(() => undefined);
    await manifestModel.load();
    first = disk().read();
  });

  beforeEach(() => {
    asked = [];
    vi.spyOn(ipc, "manifestCheck").mockImplementation((text) => new Promise((answer, fail) => asked.push({ text, answer, fail })));
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    applying.close();
    manifestModel.edit(disk().read());
    disk().write(first);
    await manifestModel.load();
  });

  /** Waits for the check with this number, which is counted from 0. */
  const check = async (number: number): Promise<Asked> => {
    await expect.poll(() => asked.length).toBe(number + 1);
    return asked[number] as Asked;
  };

  it("is of a text that was checked, although it changes while it is checked", async () => {
    manifestModel.edit(`${first}# one\n`);
    const saving = applying.save();
    (await check(0)).answer(checked());
    manifestModel.edit(`${first}# two\n`);
    const again = await check(1);
    expect(again.text).toBe(`${first}# two\n`);
    again.answer(checked({ commands: [command("db")] }));
    await saving;
    expect(applying.reviewing).toBe(true);
    expect(disk().read()).toBe(first);
  });

  it("is shown first if the check fails", async () => {
    manifestModel.edit(`${first}# one\n`);
    const saving = applying.save();
    (await check(0)).fail("no answer");
    await saving;
    expect(applying.reviewing).toBe(true);
    expect(disk().read()).toBe(first);
  });

  it("is checked on the network as it is now, and not as it was when the text was typed", async () => {
    manifestModel.edit(`${first}# one\n`);
    (await check(0)).answer(checked());
    await expect.poll(() => manifestModel.fresh).toBe(true);
    const saving = applying.save();
    (await check(1)).answer(checked({ drops: 2 }));
    await saving;
    expect(applying.reviewing).toBe(true);
    expect(manifestModel.checked?.effect?.drops).toBe(2);
    expect(disk().read()).toBe(first);
  });

  it("is shown with an effect that is computed anew", async () => {
    manifestModel.edit(`${first}# one\n`);
    (await check(0)).answer(checked());
    await expect.poll(() => manifestModel.fresh).toBe(true);
    applying.review();
    expect(manifestModel.fresh).toBe(false);
    (await check(1)).answer(checked({ drops: 2 }));
    await expect.poll(() => manifestModel.fresh).toBe(true);
    expect(manifestModel.checked?.effect?.drops).toBe(2);
  });

  it("is made once if it is asked for twice, and never of a text that was not shown", async () => {
    const save = vi.spyOn(ipc, "manifestSave");
    manifestModel.edit(`${first}# one\n`);
    const both = [applying.save(), applying.save()];
    (await check(0)).answer(checked());
    await Promise.all(both);
    expect(save.mock.calls.map(([text]) => text)).toEqual([`${first}# one\n`]);
    manifestModel.edit(`${first}# two\n`);
    await applying.apply(`${first}# one, shown\n`);
    expect(save).toHaveBeenCalledTimes(1);
  });
});
