import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import { Chance } from "../../mock/chance";
import { editPolicy, type PolicyEdit, policyOf } from "./policyText";

const HOSTS = "hosts:\n  a: {}\n  b: {}   # the second\n";
const BLOCK = `${HOSTS}policy:
  default: deny   # nothing else
  groups:
    web: [a, b]
    # those below are the old ones
    old:
      - b
  rules:
    # the laptop may do everything
    - {from: a, to: "*", action: allow}   # for now
    - from: [web, a]
      to: b
      ports: [5432, "8000-8010"]
      action: allow

    # the last word
    - from: b
      to: "10.0.0.0/8"
      action: deny
  tests:
    - {from: a, to: "b:5432", expect: allow}
# the end
`;
const FLOW = `${HOSTS}policy: {groups: {web: [a]}, rules: [{from: a, to: b, action: allow}, {from: b, to: a, action: deny}]}`;

const rules = (text: string | null) => {
  const policy = text === null ? null : policyOf(text);
  return policy === null || policy === "unusual" ? policy : policy.rules.map(({ values }) => values);
};

describe("the policy", () => {
  it("is read with the lines of its rules", () => {
    const policy = policyOf(BLOCK);
    expect(policy).toMatchObject({
      groups: [{ name: "web", hosts: ["a", "b"], line: 7 }, { name: "old", hosts: ["b"] }],
      rules: [{ values: { from: ["a"], to: ["*"], action: ["allow"] }, line: 13 }, { values: { from: ["web", "a"], to: ["b"], ports: ["5432", "8000-8010"], action: ["allow"] } }, {}],
      tests: [{ values: { to: ["b:5432"], expect: ["allow"] } }],
    });
    expect(policyOf(HOSTS)).toBeNull();
  });

  it("is left to the text if it has anchors, merge keys or another shape", () => {
    for (const odd of ["policy:\n  rules:\n    - &one {from: a, to: b, action: deny}\n", "policy: {rules: {a: b}}\n", "policy: [a]\n", "policy: {rules: [x]}\n"]) {
      expect(policyOf(HOSTS + odd)).toBe("unusual");
      expect(editPolicy(HOSTS + odd, { kind: "group", name: "g", hosts: ["a"] })).toBeNull();
    }
  });
});

describe("an edit of the policy", () => {
  const one = (edit: PolicyEdit, text = BLOCK) => editPolicy(text, edit);

  it("changes one value of a rule, and only its place in the line", () => {
    expect(one({ kind: "set", list: "rules", at: 0, key: "to", values: ["b", "*.lab"] })).toBe(BLOCK.replace('to: "*", action: allow}', 'to: [b, "*.lab"], action: allow}'));
    expect(one({ kind: "set", list: "rules", at: 1, key: "ports", values: ["5433"] })).toBe(BLOCK.replace('[5432, "8000-8010"]', "[5433]"));
    expect(one({ kind: "set", list: "rules", at: 2, key: "action", values: ["allow"] })).toBe(BLOCK.replace("action: deny\n  tests", "action: allow\n  tests"));
    expect(one({ kind: "set", list: "tests", at: 0, key: "expect", values: ["deny"] })).toBe(BLOCK.replace("expect: allow", "expect: deny"));
  });

  it("adds and clears a key of a rule", () => {
    expect(one({ kind: "set", list: "rules", at: 2, key: "via", values: ["a"] })).toBe(BLOCK.replace("action: deny\n", "action: deny\n      via: a\n"));
    expect(one({ kind: "set", list: "rules", at: 1, key: "ports", values: [] })).toBe(BLOCK.replace('      ports: [5432, "8000-8010"]\n', ""));
    expect(rules(one({ kind: "set", list: "rules", at: 0, key: "ports", values: ["22"] }))?.[0]).toEqual({ from: ["a"], to: ["*"], ports: ["22"], action: ["allow"] });
  });

  it("adds a rule behind the last one, and takes one away with the comments in its line and right above it", () => {
    const rule = { from: ["a"], to: ["b"], ports: ["22"], action: ["deny"] };
    expect(one({ kind: "add", list: "rules", values: rule })).toBe(BLOCK.replace("      action: deny\n", "      action: deny\n    - {from: a, to: b, ports: [22], action: deny}\n"));
    expect(one({ kind: "remove", list: "rules", at: 0 })).toBe(BLOCK.replace('    # the laptop may do everything\n    - {from: a, to: "*", action: allow}   # for now\n', ""));
    expect(one({ kind: "remove", list: "tests", at: 0 })).toBe(BLOCK.replace('  tests:\n    - {from: a, to: "b:5432", expect: allow}\n', ""));
  });

  it("moves a rule together with the comments above it", () => {
    const first = '    # the laptop may do everything\n    - {from: a, to: "*", action: allow}   # for now\n';
    const second = '    - from: [web, a]\n      to: b\n      ports: [5432, "8000-8010"]\n      action: allow\n';
    expect(one({ kind: "move", list: "rules", at: 1, by: -1 })).toBe(BLOCK.replace(first + second, second + first));
    expect(one({ kind: "move", list: "rules", at: 0, by: 1 })).toBe(BLOCK.replace(first + second, second + first));
  });

  it("adds, changes and removes groups", () => {
    expect(one({ kind: "group", name: "web", hosts: ["b"] })).toBe(BLOCK.replace("web: [a, b]", "web: [b]"));
    expect(one({ kind: "group", name: "all", hosts: ["a", "b"] })).toBe(BLOCK.replace("      - b\n", "      - b\n    all: [a, b]\n"));
    expect(one({ kind: "group", name: "web", hosts: [] })).toBe(BLOCK.replace("    web: [a, b]\n", ""));
    expect(one({ kind: "group", name: "old", hosts: [] })).toBe(BLOCK.replace("    # those below are the old ones\n    old:\n      - b\n", ""));
  });

  it("writes the first part of a policy, also into a file without a final line break", () => {
    const rule = { from: ["a"], to: ["b"], action: ["allow"] };
    expect(one({ kind: "add", list: "rules", values: rule }, HOSTS)).toBe(`${HOSTS}policy:\n  rules:\n    - {from: a, to: b, action: allow}\n`);
    expect(one({ kind: "group", name: "web", hosts: ["a"] }, HOSTS.trimEnd())).toBe(`${HOSTS}policy:\n  groups:\n    web: [a]\n`);
    expect(one({ kind: "add", list: "tests", values: { from: ["a"], to: ["b:1"], expect: ["deny"] } }, FLOW)).toBe(FLOW.replace("action: deny}]}", 'action: deny}], tests: [{from: a, to: "b:1", expect: deny}]}'));
  });

  it("gives back the first text with the opposite edit in flow style", () => {
    const out = one({ kind: "move", list: "rules", at: 0, by: 1 }, FLOW);
    expect(rules(out)).toEqual(rules(FLOW) === null ? null : [...(rules(FLOW) as object[])].reverse());
    expect(one({ kind: "move", list: "rules", at: 0, by: 1 }, out ?? "")).toBe(FLOW);
  });
});

describe("an edit that would lose a comment", () => {
  const policy = (lines: string) => `${HOSTS}policy:\n${lines}`;
  const remove = (list: "rules" | "tests", at = 0): PolicyEdit => ({ kind: "remove", list, at });
  const clear = (key: string): PolicyEdit => ({ kind: "set", list: "rules", at: 0, key, values: [] });

  it("is refused, and made if the comment belongs to what is removed", () => {
    const RULE = "- {from: a, to: b, action: deny}";
    const cases: [string, PolicyEdit, string | null][] = [
      // The only one of its kind.
      [policy(`  rules:   # in this order\n    ${RULE}\n  default: deny\n`), remove("rules"), null],
      [policy(`  rules:\n    # all of them\n\n    ${RULE}\n  default: deny\n`), remove("rules"), null],
      [policy(`  rules:\n    # its own\n    ${RULE}   # too\n  default: deny\n`), remove("rules"), policy("  default: deny\n")],
      [policy("  tests:\n    - {from: a, to: b, expect: deny}\n    # more to come\n  default: deny\n"), remove("tests"), policy("    # more to come\n  default: deny\n")],
      [policy("  groups:   # of hosts\n    web: [a]\n  default: deny\n"), { kind: "group", name: "web", hosts: [] }, null],
      // A list with a line for each value.
      [policy("  rules:\n    - from: a\n      to: b\n      ports:\n        # the database\n        - 5432\n      action: deny\n"), clear("ports"), null],
      [policy("  rules:\n    - from: a\n      to: b\n      ports: [5432]   # the database\n      action: deny\n"), clear("ports"), policy("  rules:\n    - from: a\n      to: b\n      action: deny\n")],
      [policy("  rules:\n    - from:\n        - a   # the laptop\n      to: b\n      action: deny\n"), { kind: "set", list: "rules", at: 0, key: "from", values: ["a", "b"] }, null],
      // The first key of an item stands behind its dash.
      [policy("  rules:\n    - via: a\n      # from all\n      from: b\n      to: a\n      action: deny\n"), clear("via"), null],
      [policy("  rules:\n    - via: a   # the gateway\n      from: b\n      to: a\n      action: deny\n"), clear("via"), policy("  rules:\n    - from: b\n      to: a\n      action: deny\n")],
      // In flow style, lines are shared.
      [policy("  rules: [\n    {from: a, to: b, action: deny},   # first\n    {from: b, to: a, action: deny}   # second\n  ]\n"), remove("rules", 0), null],
      [policy("  rules: [\n    {from: a, to: b, action: deny},   # first, of two\n    {from: b, to: a, action: deny}   # second\n  ]\n"), remove("rules", 1), null],
    ];
    for (const [text, edit, expected] of cases) {
      expect(editPolicy(text, edit), text).toBe(expected);
    }
  });

  it("is not refused because of a sign in a word", () => {
    const text = policy('  rules:\n    - {from: a, to: "b#c", action: deny}\n');
    expect(editPolicy(text, { kind: "set", list: "rules", at: 0, key: "to", values: ["b"] })).toBe(text.replace('"b#c"', "b"));
    const block = `${HOSTS}about: |\n  # not a comment\npolicy:\n  rules:\n    - {from: a, to: b, action: deny}\n`;
    expect(editPolicy(block, { kind: "remove", list: "rules", at: 0 })).toBe(`${HOSTS}about: |\n  # not a comment\n`);
  });

  it("is refused as well if it would change a key that the form does not know", () => {
    const text = policy("  rules:\n    - from: a\n      to: b\n      action: deny\n      note: |\n        why\n        # part of the note\n    - {from: b, to: a, action: deny}\n");
    expect(editPolicy(text, remove("rules", 1))).toBeNull();
    expect(editPolicy(text, { kind: "set", list: "rules", at: 0, key: "to", values: ["a"] })).toBe(text.replace("to: b", "to: a"));
  });
});

it("an edit does not depend on the aliases and merge keys of other parts", () => {
  const aliases = `templates:\n  - &t {dns: {}}\n${"  - *t\n".repeat(150)}`;
  const merged = "odd:\n  <<: null\n  x: 1\nother:\n  <<: [null]\n";
  const rule: PolicyEdit = { kind: "add", list: "rules", values: { from: ["a"], to: ["b"], action: ["deny"] } };
  for (const text of [`${aliases}${HOSTS}`, `${merged}${HOSTS}`]) {
    expect(editPolicy(text, rule)).toBe(`${text}policy:\n  rules:\n    - {from: a, to: b, action: deny}\n`);
  }
});

type Said = { default?: string; groups: Record<string, string[]>; rules: Record<string, string[]>[]; tests: Record<string, string[]>[] };

/** What a policy says, read with a plain reader of YAML, and not with the code under test. */
function plainly(text: string): Said {
  const { groups = {}, rules = [], tests = [], ...others } = ((parse(text) as { policy?: Partial<Record<string, object>> }).policy ?? {}) as Partial<Said>;
  const each = (values: object) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, [value].flat().map(String)]));
  return { ...others, groups: each(groups), rules: rules.map(each), tests: tests.map(each) };
}

/** What a policy should say after an edit. */
function wanted(before: Said, edit: PolicyEdit): Said {
  const after = structuredClone(before);
  if (edit.kind === "group") {
    const { [edit.name]: _, ...others } = after.groups;
    return { ...after, groups: edit.hosts.length === 0 ? others : { ...others, [edit.name]: edit.hosts } };
  }
  const list = after[edit.list];
  if (edit.kind === "add") {
    list.push(edit.values);
  } else if (edit.kind === "remove") {
    list.splice(edit.at, 1);
  } else if (edit.kind === "move") {
    const [one, other] = [list[edit.at], list[edit.at + edit.by]];
    if (one !== undefined && other !== undefined) {
      [list[edit.at], list[edit.at + edit.by]] = [other, one];
    }
  } else if (edit.values.length === 0) {
    delete list[edit.at]?.[edit.key];
  } else {
    Object.assign(list[edit.at] ?? {}, { [edit.key]: edit.values });
  }
  return after;
}

it("random edits mean what was asked or are refused, and change no line outside of the policy", () => {
  const chance = new Chance(5);
  const below = (n: number) => Math.floor(chance.next() * n);
  const words = () => Array.from({ length: 1 + below(3) }, () => chance.pick(["a", "b", "web", "*", "10.0.0.0/8", "*.lab"]));
  const behind = "# the end\nroutes:\n  - {via: a, to: x.lab}   # the last line\n";
  const block = BLOCK.replace("# the end\n", behind);
  const made = new Map<string, number>();
  for (const first of [block, FLOW, HOSTS, block.replaceAll("\n", "\r\n")]) {
    const eol = first.includes("\r\n") ? "\r\n" : "\n";
    const hosts = HOSTS.trimEnd().replaceAll("\n", eol);
    const tail = first.includes("# the end") ? behind.replaceAll("\n", eol) : "";
    let text = first;
    for (let at = 0; at < 100; at += 1) {
      const count = plainly(text).rules.length;
      const edit = chance.pick<PolicyEdit>([
        { kind: "add", list: "rules", values: { from: words(), to: words(), action: ["deny"] } },
        { kind: "remove", list: "rules", at: below(count || 1) },
        { kind: "move", list: "rules", at: below(count || 1), by: below(2) === 0 ? 1 : -1 },
        { kind: "set", list: "rules", at: below(count || 1), key: chance.pick(["from", "to", "via", "ports"]), values: below(3) === 0 ? [] : ["a", "22"] },
        { kind: "group", name: chance.pick(["web", "old", "new"]), hosts: below(3) === 0 ? [] : ["a"] },
      ]);
      const next = editPolicy(text, edit);
      if (next !== null) {
        made.set(edit.kind, (made.get(edit.kind) ?? 0) + 1);
        expect(plainly(next), text).toEqual(wanted(plainly(text), edit));
        expect(next.slice(0, hosts.length)).toBe(hosts);
        expect(next.endsWith(tail), next).toBe(true);
        for (const comment of ["# the second", "# nothing else", "# the end", "# the last line"]) {
          expect(next.split(comment).length, comment).toBe(first.split(comment).length);
        }
        text = next;
      }
    }
  }
  for (const kind of ["add", "remove", "move", "set", "group"]) {
    expect(made.get(kind), kind).toBeGreaterThan(20);
  }
}, 60_000);
