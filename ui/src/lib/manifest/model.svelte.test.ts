// Tests of the model of the manifest with the mock of the app. Undo restores the first text, whatever was edited and in
// whichever view.
import { beforeAll, describe, expect, it, vi } from "vitest";

import { install } from "../../mock/backend";
import { Chance } from "../../mock/chance";
import type { MockDisk } from "../../mock/manifest";
import { confirm } from "../confirm.svelte";
import { ipc } from "../ipc";
import { toasts } from "../toasts.svelte";
import type { EditRequest } from "../types/EditRequest";
import type { FieldOutline } from "../types/FieldOutline";
import { manifestModel } from "./manifest.svelte";
import { selection } from "./selection.svelte";
import { newParts, typed } from "./typed.svelte";

const disk = () => (window as unknown as { mockDisk: MockDisk }).mockDisk;
const text = () => manifestModel.draft?.text ?? "";

beforeAll(async () => {
  history.replaceState(null, "", "/?scene=office&still");
  install();
  await manifestModel.load();
  expect((await manifestModel.outlined())?.hosts.length).toBe(7);
});

function undoAll(): number {
  let steps = 0;
  while (manifestModel.undo() !== null) {
    steps += 1;
  }
  return steps;
}

const vip = (name: string, value: string): EditRequest => ({ kind: "set", owner: { kind: "host", name }, field: "vip", value, reach: null });

describe("the one history", () => {
  it("has edits of the form and typed ones, and gives the first text after as many undos, and the last after as many redos", async () => {
    const chance = new Chance(17);
    const below = (n: number) => Math.floor(chance.next() * n);
    const first = text();
    for (let round = 0; round < 6; round += 1) {
      let made = 0;
      for (let at = 0; at < 12; at += 1) {
        const hosts = manifestModel.outline?.hosts ?? [];
        const name = chance.pick(hosts).name;
        const edits: EditRequest[] = chance.pick([
          [vip(name, `127.0.42.${200 + below(50)}`)],
          [{ kind: "addHost", name: `new-${round}-${at}`, fields: { ssh: "x" } }],
          [{ kind: "renameHost", from: name, to: `other-${round}-${at}` }],
          [{ kind: "removeHost", name }],
          [{ kind: "addItem", owner: { kind: "host", name }, field: "ports", at: null, item: "7000:127.0.0.1:7000", reach: null }],
          [{ kind: "duplicateHost", from: name, to: `copy-${round}-${at}` }],
        ] satisfies EditRequest[][]);
        if (hosts.length > 2) {
          made += (await manifestModel.apply(edits, "edit")) ? 1 : 0;
        }
        if (below(2) === 0) {
          const place = below(text().length);
          manifestModel.edit(`${text().slice(0, place)}# größer 😀${text().slice(place + below(3))}`);
          await manifestModel.outlined();
        }
        if (below(5) === 0) {
          manifestModel.undo();
          manifestModel.redo();
        }
      }
      expect(made).toBeGreaterThan(0);
      const last = text();
      const steps = undoAll();
      expect(text()).toBe(first);
      for (let at = 0; at < steps; at += 1) {
        manifestModel.redo();
      }
      expect(text()).toBe(last);
      undoAll();
      await manifestModel.outlined();
    }
  }, 60_000);

  it("follows a renamed host there and back", async () => {
    selection.only("bastion");
    expect(await manifestModel.apply([{ kind: "renameHost", from: "bastion", to: "gate" }], "rename")).toBe(true);
    expect([...selection.hosts]).toEqual(["gate"]);
    manifestModel.undo();
    await manifestModel.outlined();
    expect([...selection.hosts]).toEqual(["bastion"]);
  });

  it("keeps what is typed in the fields of a host that is renamed, except the name that it has now", async () => {
    typed.set("host bastion name", "gate ");
    typed.set("host bastion vip", "127.0.");
    typed.set("host bastion2 vip", "1");
    const id = selection.idOf("bastion");
    await manifestModel.apply([{ kind: "renameHost", from: "bastion", to: "gate" }], "rename");
    expect([...typed]).toEqual([["host bastion2 vip", "1"], ["host gate vip", "127.0."]]);
    expect(selection.idOf("gate")).toBe(id);
    manifestModel.undo();
    await manifestModel.outlined();
    expect(typed.get("host bastion vip")).toBe("127.0.");
    expect(selection.idOf("bastion")).toBe(id);
    typed.clear();
  });

  it("keeps what is typed in the fields of a route that gets another number", async () => {
    const before = text();
    typed.set("routes 0 to new", "a");
    typed.set("routes 1 to new", "b");
    await manifestModel.apply([{ kind: "move", list: "routes", from: 1, to: 0 }], "move");
    expect(new Map(typed)).toEqual(new Map([["routes 1 to new", "a"], ["routes 0 to new", "b"]]));
    manifestModel.undo();
    await manifestModel.outlined();
    expect(new Map(typed)).toEqual(new Map([["routes 0 to new", "a"], ["routes 1 to new", "b"]]));
    manifestModel.redo();
    await manifestModel.outlined();
    await manifestModel.apply([{ kind: "remove", list: "routes", at: 0 }], "remove");
    expect([...typed]).toEqual([["routes 0 to new", "a"]]);
    typed.clear();
    undoAll();
    expect(text()).toBe(before);
    await manifestModel.outlined();
  });

  it("makes edits that are asked for at the same time one after the other", async () => {
    const before = text();
    const done = await Promise.all([manifestModel.apply([vip("db", "127.0.42.60")], "a"), manifestModel.apply([vip("web1", "127.0.42.61")], "b")]);
    expect(done).toEqual([true, true]);
    expect(text()).toContain("127.0.42.60");
    expect(text()).toContain("127.0.42.61");
    undoAll();
    expect(text()).toBe(before);
  });

  it("does not lose what is typed while an edit is under way", async () => {
    const before = text();
    const edited = manifestModel.apply([vip("db", "127.0.42.60")], "a");
    manifestModel.edit(`${text()}# typed\n`);
    expect(await edited).toBe(true);
    expect(text()).toContain("127.0.42.60");
    expect(text()).toContain("# typed");
    undoAll();
    expect(text()).toBe(before);
  });

  it("makes an edit with a number only in the text in which the number was counted", async () => {
    const before = text();
    const take = (): EditRequest => ({ kind: "takeItem", owner: { kind: "host", name: "web1" }, field: "ports", at: 0, reach: null });
    // Both edits are requested while the same list is shown. After the first edit, another port has the number 0.
    const done = await Promise.all([manifestModel.apply([take()], "a"), manifestModel.apply([take()], "b")]);
    expect(done).toEqual([true, false]);
    expect(text()).not.toContain("8080:127.0.0.1:80");
    expect(text()).toContain("8443:127.0.0.1:443");
    expect(toasts.list.at(-1)?.detail).toContain("The text has changed meanwhile");
    // The numbers of the new text are right.
    expect(await manifestModel.apply([{ kind: "remove", list: "routes", at: 1 }], "c")).toBe(true);
    const removing = manifestModel.apply([{ kind: "remove", list: "routes", at: 0 }], "d");
    manifestModel.edit(`${text()}# typed\n`);
    expect(await removing).toBe(false);
    undoAll();
    expect(text()).toBe(before);
    await manifestModel.outlined();
  });

  it("tells the person about an edit that failed, and makes the next ones", async () => {
    const before = text();
    const edit = vi.spyOn(ipc, "manifestEdit").mockRejectedValueOnce("no such thing");
    expect(await manifestModel.apply([vip("db", "127.0.42.60")], "a")).toBe(false);
    expect(toasts.list.at(-1)?.detail).toContain("no such thing");
    expect(await manifestModel.apply([vip("db", "127.0.42.61")], "b")).toBe(true);
    edit.mockRestore();
    undoAll();
    expect(text()).toBe(before);
    await manifestModel.outlined();
  });

  it("edits a policy from its first part to its last one, and a group may have a dot in its name", async () => {
    const before = text();
    const groups = { kind: "groups" } as const;
    const edits: EditRequest[] = [
      { kind: "set", owner: groups, field: "web.lab", value: ["web1"], reach: null },
      { kind: "insert", list: "rules", at: null, fields: { from: "web.lab", to: ["db", "web2"], ports: ["5432"], action: "allow" } },
      { kind: "insert", list: "rules", at: 0, fields: { from: "*", to: "*", action: "deny" } },
      { kind: "move", list: "rules", from: 0, to: 1 },
      { kind: "addItem", owner: groups, field: "web.lab", at: null, item: "web2", reach: null },
      { kind: "clear", owner: { kind: "item", list: "rules", at: 0 }, field: "ports", reach: null },
    ];
    expect(await manifestModel.apply(edits, "edit")).toBe(true);
    const values = (fields: readonly FieldOutline[] = []) => Object.fromEntries(fields.map(({ field, value }) => [field, value]));
    const { policy } = manifestModel.outline!;
    expect(values(policy?.groups)).toEqual({ "web.lab": ["web1", "web2"] });
    expect(policy?.rules.map(({ fields }) => values(fields))).toEqual([{ from: "web.lab", to: ["db", "web2"], action: "allow" }, { from: "*", to: "*", action: "deny" }]);
    await manifestModel.apply([{ kind: "remove", list: "rules", at: 1 }, { kind: "remove", list: "rules", at: 0 }], "remove");
    expect(manifestModel.outline?.policy?.rules).toEqual([]);
    await manifestModel.apply([{ kind: "clear", owner: groups, field: "web.lab", reach: null }], "clear");
    expect(manifestModel.outline?.policy?.groups).toEqual([]);
    undoAll();
    expect(text()).toBe(before);
    expect((await manifestModel.outlined())?.policy).toBeNull();
  });

  it("saves a text only while the draft has it", async () => {
    const before = text();
    const edited = manifestModel.apply([vip("db", "127.0.42.60")], "a");
    const early = text();
    expect(await edited).toBe(true);
    expect(await manifestModel.save(early)).toBe(false);
    expect(disk().read()).toBe(before);
    expect(await manifestModel.save(text())).toBe(true);
    expect(disk().read()).toContain("127.0.42.60");
    disk().write(before);
    await manifestModel.load();
    expect(text()).toBe(before);
  });

  it("takes back one step that lies further back, and keeps the later ones", async () => {
    const before = text();
    await manifestModel.apply([{ kind: "removeHost", name: "db" }], "delete db");
    const step = manifestModel.lastStep;
    manifestModel.edit(text().replace("# The network", "# Our network"));
    await manifestModel.revert(step!);
    expect(text()).toBe(before.replace("# The network", "# Our network"));
    undoAll();
    expect(text()).toBe(before);
  });

  it("says so if a step that should be taken back is undone already", async () => {
    const before = text();
    await manifestModel.apply([{ kind: "removeHost", name: "db" }], "delete db");
    const step = manifestModel.lastStep;
    manifestModel.undo();
    toasts.end();
    await manifestModel.revert(step!);
    expect(toasts.list.at(-1)?.detail).toContain("already undone");
    expect(text()).toBe(before);
    toasts.end();
    await manifestModel.outlined();
  });
});

describe("a value that is shared", () => {
  it("is changed as far as the person says, and not at all without an answer", async () => {
    const before = text();
    manifestModel.edit(`hostTemplate:\n  dns: {listen: 10053}\n${text()}`);
    await manifestModel.outlined();
    const set = (): Promise<boolean> => manifestModel.apply([{ kind: "set", owner: { kind: "host", name: "db" }, field: "dns.listen", value: "10054", reach: null }], "set");
    const answer = async (choice: string | null) => {
      const doing = set();
      await expect.poll(() => confirm.question).not.toBeNull();
      confirm.question?.answer(choice);
      return doing;
    };
    const shared = text();
    expect(await answer(null)).toBe(false);
    expect(text()).toBe(shared);
    expect(await answer("here")).toBe(true);
    expect(text()).toMatch(/db:[^]*10054/);
    manifestModel.undo();
    expect(await answer("everywhere")).toBe(true);
    expect(text()).toMatch(/hostTemplate:\n {2}dns: \{listen: "?10054/);
    undoAll();
    expect(text()).toBe(before);
  });
});

describe("the file changes while edits are unsaved", () => {
  const outside = async (change: (text: string) => string) => {
    disk().write(change(disk().read()));
    await manifestModel.load();
  };

  it("both are kept if they touch other lines, and undo takes back the own edit before the change of the file", async () => {
    manifestModel.edit(text().replace("# The network", "# My network"));
    const mine = text();
    await outside((text) => text.replace("8443:127.0.0.1:443", "8443:127.0.0.1:444"));
    await expect.poll(text).toContain("127.0.0.1:444");
    expect(text()).toContain("# My network");
    expect(manifestModel.conflicts).toEqual([]);
    const both = text();
    expect(manifestModel.undoLabel).toBeNull();
    manifestModel.undo();
    expect(text()).toBe(disk().read());
    expect(text()).toContain("127.0.0.1:444");
    manifestModel.redo();
    expect(text()).toBe(both);
    expect(both).toBe(mine.replace("8443:127.0.0.1:443", "8443:127.0.0.1:444"));
    manifestModel.discard();
  });

  it("a merge is still taken back by its message after the own edit before it is undone", async () => {
    const before = disk().read();
    manifestModel.edit(text().replace("# The network", "# My network"));
    await outside((text) => text.replace("127.0.0.1:444", "127.0.0.1:445"));
    await expect.poll(text).toContain("127.0.0.1:445");
    const merge = manifestModel.lastStep;
    manifestModel.undo();
    expect(text()).toBe(disk().read());
    await manifestModel.revert(merge!);
    expect(text()).toBe(before);
    await outside(() => before);
    manifestModel.discard();
  });

  it("nothing is merged if they touch the same line, and the person sees where", async () => {
    manifestModel.edit(text().replace("# The network", "# My network"));
    const mine = text();
    await outside((text) => text.replace("# The network", "# Their network"));
    await expect.poll(() => manifestModel.conflicts.length).toBe(1);
    expect(text()).toBe(mine);
    expect(manifestModel.canSave).toBe(false);
    manifestModel.takeTheirs();
    expect(text()).toContain("# Their network");
    expect(manifestModel.conflicts).toEqual([]);
    manifestModel.undo();
    expect(text()).toBe(mine);
  });
});

it("another file shows nothing of what was typed or half made for the one before", async () => {
  const file = manifestModel.draft?.base;
  newParts.set("rules", "from", ["db"]);
  newParts.groupName = "all";
  typed.set("rules new to", "w");
  manifestModel.hear({ ...file!, path: "/home/ada/other.yaml" });
  expect([newParts.items.rules, newParts.groupName, typed.size]).toEqual([{ action: ["allow"] }, "", 0]);
  manifestModel.hear({ ...file! });
  await manifestModel.outlined();
});
