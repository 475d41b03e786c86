// Tests of the form of the policy with the mock of the app: nothing that was typed or chosen is lost unseen.
import { fireEvent, render, screen } from "@testing-library/svelte";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";

import { confirm } from "../../../lib/confirm.svelte";
import { manifestModel } from "../../../lib/manifest/manifest.svelte";
import { forgetTyped, newParts, typed } from "../../../lib/manifest/typed.svelte";
import { toasts } from "../../../lib/toasts.svelte";
import type { Outline } from "../../../lib/types/Outline";
import { install } from "../../../mock/backend";
import PolicyForm from "./PolicyForm.svelte";

const text = () => manifestModel.draft?.text ?? "";
const POLICY = `policy:
  rules:
    - {from: web1, to: db, ports: [5432], action: deny}
    - from: db
      to:
        - web1   # for now
        - bastion
      action: deny
    - {from: db, to: web2, action: deny}
`;
let first = "";

vi.setConfig({ testTimeout: 60_000 });

beforeAll(async () => {
  history.replaceState(null, "", "/?scene=office&still");
  install();
  await manifestModel.load();
  first = text();
});

beforeEach(async () => {
  manifestModel.edit(first + POLICY);
  await manifestModel.outlined();
  forgetTyped();
  toasts.end();
});

afterEach(() => void vi.restoreAllMocks());

function show() {
  const props = {
    get outline() {
      return manifestModel.outline as Outline;
    },
    onshow: () => {},
  };
  return render(PolicyForm, { props });
}

/** What a rule of the present text says. */
const rule = (at: number) => Object.fromEntries((manifestModel.outline?.policy?.rules[at]?.fields ?? []).map(({ field, value }) => [field, value]));

/** Waits much longer than anything here takes, on any machine. */
const soon = (is: () => void) => vi.waitFor(is, { timeout: 30_000 });
const field = (of: string, key: string) => screen.getByLabelText<HTMLInputElement>(`Add to “${key}” of ${of}`);

async function type(of: string, key: string, word: string, confirm = true) {
  const input = field(of, key);
  await fireEvent.input(input, { target: { value: word } });
  if (confirm) {
    await fireEvent.keyDown(input, { key: "Enter" });
  }
}

it("a word that was refused stays in its field", async () => {
  show();
  vi.spyOn(manifestModel, "apply").mockResolvedValueOnce(false);
  await type("Rule 2", "To", "laptop");
  await soon(() => expect(manifestModel.apply).toHaveBeenCalled());
  expect(text()).toBe(first + POLICY);
  expect(field("Rule 2", "To").value).toBe("laptop");
  await type("Rule 3", "To", "web1");
  await soon(() => expect(text()).toContain("{from: db, to: [web2, web1], action: deny}"));
  await soon(() => expect(field("Rule 3", "To").value).toBe(""));
});

it("a list keeps the comments of its other words, one word is a text, and ports are always a list", async () => {
  show();
  await type("Rule 2", "To", "laptop");
  await soon(() => expect(field("Rule 2", "To").value).toBe(""));
  await fireEvent.click(screen.getByLabelText("Remove bastion from “To” of Rule 2"));
  await soon(() => expect(rule(1)["to"]).toEqual(["web1", "laptop"]));
  expect(text()).toMatch(/- web1 +# for now\n +- laptop\n/);
  await type("Rule 3", "Ports", "22");
  await soon(() => expect(rule(2)["ports"]).toEqual(["22"]));
  await type("Rule 3", "Only through", "bastion");
  await soon(() => expect(rule(2)["via"]).toBe("bastion"));
  await fireEvent.click(screen.getByLabelText("Remove 22 from “Ports” of Rule 3"));
  await soon(() => expect(rule(2)["ports"]).toBeUndefined());
});

it("a value that comes through an anchor is shown as shared, and is changed as far as the person says", async () => {
  manifestModel.edit(`${first}policy:\n  rules:\n    - {from: &ours [web1, web2], to: db, action: allow}\n    - {from: *ours, to: web2, action: deny}\n`);
  await manifestModel.outlined();
  show();
  expect(screen.queryByText("shared with rule 1")).not.toBeNull();
  await type("Rule 2", "From", "laptop");
  await soon(() => expect(confirm.question).not.toBeNull());
  confirm.question?.answer(null);
  await soon(() => expect(confirm.question).toBeNull());
  expect(field("Rule 2", "From").value).toBe("laptop");
  await fireEvent.click(screen.getByLabelText("Remove web2 from “From” of Rule 2"));
  await soon(() => expect(confirm.question).not.toBeNull());
  confirm.question?.answer("here");
  await soon(() => expect(rule(1)["from"]).toEqual(["web1"]));
  expect(rule(0)["from"]).toEqual(["web1", "web2"]);
  manifestModel.undo();
  await manifestModel.outlined();
  await fireEvent.click(screen.getByLabelText("Remove web2 from “From” of Rule 2"));
  await soon(() => expect(confirm.question).not.toBeNull());
  confirm.question?.answer("everywhere");
  await soon(() => expect([rule(0)["from"], rule(1)["from"]]).toEqual([["web1"], ["web1"]]));
  expect(text()).toContain("*ours");
});

it("the focus goes to the field when a word is removed, and with a rule that is moved", async () => {
  show();
  const field = screen.getByLabelText("Add to “To” of Rule 2");
  const click = (label: string) => {
    const button = screen.getByLabelText(label);
    button.focus();
    return fireEvent.click(button);
  };
  await click("Remove bastion from “To” of Rule 2");
  await soon(() => expect(document.activeElement).toBe(field));
  await click("Move rule 3 up");
  await soon(() => expect(document.activeElement).toBe(screen.getByLabelText("Move rule 2 up")));
  await click("Move rule 2 up");
  await soon(() => expect(document.activeElement).toBe(screen.getByLabelText("Move rule 1 down")));
  await click("Remove rule 3");
  await soon(() => expect(document.activeElement).toBe(screen.getByLabelText("Remove rule 2")));
});

it("what has to be there cannot be removed, and a word that is written twice is removed once", async () => {
  manifestModel.edit(`${first}policy:\n  rules:\n    - {from: [web1, web1], via: bastion, action: allow}\n`);
  await manifestModel.outlined();
  show();
  expect(screen.queryByLabelText("Remove bastion from “Only through” of Rule 1")).toBeNull();
  await fireEvent.click(screen.getAllByLabelText("Remove web1 from “From” of Rule 1")[0] as HTMLElement);
  await soon(() => expect(rule(0)["from"]).toEqual(["web1"]));
  await soon(() => expect(screen.queryByLabelText("Remove web1 from “From” of Rule 1")).toBeNull());
});

it("a problem is at the word that it is about, or at its group", async () => {
  manifestModel.edit(`${first}policy:\n  groups:\n    web: [web1, "88888"]\n  rules:\n    - from: db\n      to: web\n      ports: ["99999"]\n      action: deny\n`);
  await manifestModel.outlined();
  show();
  await soon(() => expect(manifestModel.fresh).toBe(true));
  const row = await screen.findByRole("group", { name: "Ports, Rule 1" });
  await soon(() => expect(row.textContent).toContain("the port 99999 is larger than 65535"));
  const group = screen.getByRole("group", { name: "web, the groups" });
  expect(group.textContent).toContain("the port 88888 is larger than 65535");
  expect([group.textContent, row.textContent].map((text) => text?.match(/is larger/g)?.length)).toEqual([1, 1]);
  // A screen reader says it when the field gets the focus.
  const about = field("Rule 1", "Ports").getAttribute("aria-describedby")?.split(" ") ?? [];
  expect(about.map((id) => document.getElementById(id)?.textContent ?? "").join("")).toContain("99999");
});

it("a word is added once, although its field loses the focus while it is added", async () => {
  show();
  const input = field("Rule 3", "To");
  await fireEvent.input(input, { target: { value: "web1" } });
  await Promise.all([fireEvent.keyDown(input, { key: "Enter" }), fireEvent.change(input)]);
  await soon(() => expect(text()).toContain("to: [web2, web1]"));
  expect(toasts.list).toEqual([]);
});

it("a choice that was refused is not shown", async () => {
  show();
  vi.spyOn(manifestModel, "apply").mockResolvedValue(false);
  const select = screen.getAllByLabelText<HTMLSelectElement>("Action")[0] as HTMLSelectElement;
  await fireEvent.change(select, { target: { value: "allow" } });
  await soon(() => expect(select.value).toBe("deny"));
});

it("a rule and a group that are not complete are kept while something else is shown, and their hosts keep their new names", async () => {
  const { unmount } = show();
  await type("New rule", "From", "db");
  await type("New test", "To", "db:5432");
  await fireEvent.input(screen.getByLabelText("Name"), { target: { value: "all" } });
  unmount();
  await manifestModel.apply([{ kind: "renameHost", from: "db", to: "store" }], "rename");
  expect(newParts.items).toEqual({ rules: { from: ["store"], action: ["allow"] }, tests: { to: ["store:5432"], expect: ["allow"] } });
  show();
  expect(screen.queryByLabelText("Remove store from “From” of New rule")).not.toBeNull();
  expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("all");
  forgetTyped();
  expect(newParts.items.rules).toEqual({ action: ["allow"] });
  expect(newParts.groupName).toBe("");
});

it("typed words go with their rule when it is moved, and are forgotten with it", async () => {
  show();
  await type("Rule 1", "From", "w1", false);
  await type("Rule 3", "From", "w3", false);
  await fireEvent.click(screen.getByLabelText("Move rule 3 up"));
  await soon(() => expect(new Map(typed)).toEqual(new Map([["rules 0 from", "w1"], ["rules 1 from", "w3"]])));
  manifestModel.undo();
  await manifestModel.outlined();
  expect(new Map(typed)).toEqual(new Map([["rules 0 from", "w1"], ["rules 2 from", "w3"]]));
  // While the text cannot be read, nothing is known about the rules.
  const whole = text();
  const write = async (now: string) => {
    manifestModel.edit(now);
    await manifestModel.outlined();
  };
  await write(`{\n${whole}`);
  await write(`{\n${whole}  rules: [`);
  await write(whole.replace("    - {from: web1, to: db, ports: [5432], action: deny}\n", ""));
  expect([...typed]).toEqual([["rules 1 from", "w3"]]);
  await write(whole);
  await write(whole.replace("to: web2, action: deny", "to: web2, action: allow"));
  expect([...typed]).toEqual([["rules 2 from", "w3"]]);
  await fireEvent.click(screen.getByLabelText("Remove rule 3"));
  await soon(() => expect(typed.size).toBe(0));
});
