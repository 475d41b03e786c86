// Tests of the form of the policy with the mock of the app: nothing that was typed or chosen is lost unseen.
import { fireEvent, render, screen } from "@testing-library/svelte";
import { afterEach, beforeAll, beforeEach, expect, it, vi } from "vitest";

import { manifestModel } from "../../../lib/manifest/manifest.svelte";
import { forgetTyped, newParts, typed } from "../../../lib/manifest/typed.svelte";
import { toasts } from "../../../lib/toasts.svelte";
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
  const outline = manifestModel.outline;
  if (outline === null) {
    throw new Error("the manifest has no outline");
  }
  return render(PolicyForm, { outline, onshow: () => {} });
}

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

it("a word that the text cannot take stays in its field, with the reason", async () => {
  show();
  await type("Rule 2", "To", "laptop");
  await soon(() => expect(toasts.list.at(-1)?.detail).toContain("in the text view"));
  expect(text()).toBe(first + POLICY);
  expect(field("Rule 2", "To").value).toBe("laptop");
  await type("Rule 3", "To", "web1");
  await soon(() => expect(text()).toContain("{from: db, to: [web2, web1], action: deny}"));
  await soon(() => expect(field("Rule 3", "To").value).toBe(""));
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
  vi.spyOn(manifestModel, "change").mockResolvedValue(false);
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
  await soon(() => expect(new Map(typed)).toEqual(new Map([["policy rule 0 from", "w1"], ["policy rule 1 from", "w3"]])));
  manifestModel.undo();
  expect(new Map(typed)).toEqual(new Map([["policy rule 0 from", "w1"], ["policy rule 2 from", "w3"]]));
  // While the text cannot be read, nothing is known about the rules.
  const whole = text();
  manifestModel.edit(`{\n${whole}`);
  manifestModel.edit(`{\n${whole}  rules: [`);
  manifestModel.edit(whole.replace("    - {from: web1, to: db, ports: [5432], action: deny}\n", ""));
  expect([...typed]).toEqual([["policy rule 1 from", "w3"]]);
  manifestModel.edit(whole);
  manifestModel.edit(whole.replace("to: web2, action: deny", "to: web2, action: allow"));
  expect([...typed]).toEqual([["policy rule 2 from", "w3"]]);
});
