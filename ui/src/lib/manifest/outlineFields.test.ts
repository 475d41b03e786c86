import { describe, expect, it } from "vitest";

import type { FieldOutline } from "../types/FieldOutline";
import type { HostOutline } from "../types/HostOutline";
import type { Outline } from "../types/Outline";
import type { Problem } from "../types/Problem";
import { endOf, exampleOf, groupOf, hasForm, itemsOf, problemCounts, problemsOf, savingOf } from "./outlineFields";
import type { FieldSpec } from "../types/FieldSpec";

const field = (field: string, value: FieldOutline["value"], line: number, origin: FieldOutline["origin"] = { kind: "own", index: null }): FieldOutline => ({ field, value, line, origin, items: null });
const problem = (line: number, message: string): Problem => ({ severity: "error", line, column: 1, endLine: line, endColumn: 2, message, hint: null });
const host = (name: string, line: number, fields: FieldOutline[]): HostOutline => ({ name, vip: "127.0.42.1", way: "local", argv: [], fields, line });
const outline = (hosts: HostOutline[], policy: Outline["policy"] = null): Outline => ({ hosts, template: [], network: [], routes: [], policy, nextVip: null, nextPort: 8080 });
const spec = (more: Partial<FieldSpec>): FieldSpec => ({ of: "host", field: "vip", form: "text", words: [], required: false, doc: "", example: '""', pattern: null, ...more });

describe("the problems of a host", () => {
  const fields = [field("vip", "127.0.42.1", 11), field("ports", ["1:a:1"], 13), field("http.listen", "x", 15), field("http.allow", "any", 15), field("dns.listen", "53", 2, { kind: "template", index: null })];
  const found = (line: number, message = "") => [...problemsOf(fields, 10, 20, [problem(line, message)]).keys()];

  it("are beside the field in or under which they are", () => {
    expect(found(11)).toEqual(["vip"]);
    expect(found(12)).toEqual(["vip"]);
    expect(found(14)).toEqual(["ports"]);
  });

  it("are beside the field that they name if several are in the line", () => {
    expect([found(15), found(15, "allow must be one of")]).toEqual([["http.listen"], ["http.allow"]]);
  });

  it("are beside a field that shares its value, if it is written there", () => {
    const shared = [field("from", ["a"], 11, { kind: "shared", with: ["rule 2"], index: null }), field("to", "b", 2, { kind: "shared", with: ["rule 2"], index: null })];
    expect([...problemsOf(shared, 10, 20, [problem(11, ""), problem(2, "")]).keys()]).toEqual(["from"]);
  });

  it("are at the host itself if they are at no field, and left out if they are elsewhere", () => {
    expect([found(10), found(9), found(20), found(2)]).toEqual([[""], [], [], []]);
  });
});

it("a host ends where the next thing begins", () => {
  const all = outline([host("a", 2, []), host("b", 9, [])]);
  expect([endOf(all, 2), endOf(all, 9)]).toEqual([9, Infinity]);
  expect([...problemCounts(all, [1, 2, 8, 9].map((line) => problem(line, "")))]).toEqual([[2, 2], [9, 1]]);
});

it("problems of the policy belong to its rules, tests and groups, and not to the host above it", () => {
  const policy = { line: 4, groups: [field("web", ["a"], 6)], rules: [{ fields: [], line: 8 }, { fields: [], line: 10 }], tests: [{ fields: [], line: 13 }] };
  const all = outline([host("a", 2, [])], policy);
  expect([4, 6, 8, 10, 13].map((line) => endOf(all, line))).toEqual([6, 8, 10, 13, Infinity]);
  expect([...problemCounts(all, [3, 5, 7, 8, 9, 11, 14].map((line) => problem(line, "")))]).toEqual([[2, 1], [4, 1], [6, 1], [8, 2], [10, 1], [13, 1]]);
});

it("a field that the page does not know still has a group", () => {
  expect([groupOf("kubernetes.pod"), groupOf("http.listen"), groupOf("future.thing")]).toEqual(["reach", "proxies", "other"]);
});

it("examples are shown as people would type them, and broken ones as they are", () => {
  const shown = (example: string) => exampleOf(spec({ example }));
  expect([shown('"a"'), shown('["8080:127.0.0.1:80","x"]'), shown("10053"), shown("true"), shown('{"a":1}'), shown("plain")]).toEqual(["a", "8080:127.0.0.1:80", "10053", "true", "", "plain"]);
});

it("a pattern decides, and one that cannot be read forbids nothing", () => {
  expect([hasForm(spec({ pattern: "^a$" }), "a"), hasForm(spec({ pattern: "^a$" }), "b"), hasForm(spec({ pattern: "(" }), "b"), hasForm(spec({}), "b")]).toEqual([true, false, true, true]);
});

it("a text in place of a list is its only item", () => {
  expect([itemsOf([field("ssh", "web1", 1)], "ssh"), itemsOf([field("ssh", ["-A", "web1"], 1)], "ssh"), itemsOf([], "ssh")]).toEqual([["web1"], ["-A", "web1"], []]);
});

it("new and changed hosts are told from saved ones, wherever they stand", () => {
  const saved = outline([host("a", 2, [field("vip", "1", 3)]), host("b", 4, [])]);
  const now = outline([host("b", 9, []), host("a", 12, [field("vip", "2", 13)]), host("c", 20, [])]);
  expect([...savingOf(saved, now)]).toEqual([["a", "changed"], ["c", "new"]]);
  expect(savingOf(null, now).size).toBe(0);
});
