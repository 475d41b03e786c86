import { expect, it } from "vitest";

import type { FieldOutline } from "../types/FieldOutline";
import type { HostOutline } from "../types/HostOutline";
import type { ListRef } from "../types/ListRef";
import type { Outline } from "../types/Outline";
import type { OwnerRef } from "../types/OwnerRef";
import type { Problem } from "../types/Problem";
import { exampleOf, groupOf, hasForm, itemsOf, partOf, problemsOf, savingOf } from "./outlineFields";
import type { FieldSpec } from "../types/FieldSpec";

const field = (field: string, value: FieldOutline["value"], origin: FieldOutline["origin"] = { kind: "own", index: null }): FieldOutline => ({ field, value, origin, items: null });
const problem = (owner: OwnerRef | null, field: string | null, message = ""): Problem => ({ severity: "error", line: 1, column: 1, endLine: 1, endColumn: 2, message, hint: null, place: owner === null ? null : { owner, field } });
const host = (name: string, line: number, fields: FieldOutline[]): HostOutline => ({ name, vip: "127.0.42.1", way: "local", argv: [], fields, line });
const outline = (hosts: HostOutline[], policy: Outline["policy"] = null): Outline => ({ hosts, template: [], network: [], routes: [], policy, nextVip: null, nextPort: 8080 });
const spec = (more: Partial<FieldSpec>): FieldSpec => ({ of: "host", field: "vip", form: "text", words: [], required: false, doc: "", example: '""', pattern: null, ...more });

const HOST: OwnerRef = { kind: "host", name: "a" };
const item = (list: ListRef, at: number): OwnerRef => ({ kind: "item", list, at });

it("a part has the problems that are in it, beside their fields", () => {
  const problems = [problem(HOST, "ports", "1"), problem({ kind: "host", name: "b" }, "ports", "2"), problem(HOST, null, "3"), problem(HOST, "ports", "4"), problem(null, null, "5"), problem(item("rules", 1), "to", "6")];
  const found = (owner: OwnerRef) => [...problemsOf(owner, problems)].map(([field, all]) => [field, all.map(({ message }) => message).join()]);
  expect(found(HOST)).toEqual([["ports", "1,4"], ["", "3"]]);
  expect(found(item("rules", 1))).toEqual([["to", "6"]]);
  expect([found(item("rules", 0)), found(item("tests", 1))]).toEqual([[], []]);
});

it("each problem belongs to a host, to a part of the whole network, or to none", () => {
  const parts = [problem(HOST, "ports"), problem(null, null), problem({ kind: "template" }, null), problem(item("routes", 0), null), problem({ kind: "manifest" }, "network"), problem({ kind: "manifest" }, null)].map(partOf);
  expect(parts).toEqual([null, null, "template", "routes", "network", "network"]);
  const policy = [problem(item("rules", 0), "to"), problem(item("tests", 0), null), problem({ kind: "groups" }, "web"), problem({ kind: "manifest" }, "policy"), problem({ kind: "manifest" }, "policy.default")].map(partOf);
  expect(new Set(policy)).toEqual(new Set(["policy"]));
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
  expect([itemsOf([field("ssh", "web1")], "ssh"), itemsOf([field("ssh", ["-A", "web1"])], "ssh"), itemsOf([], "ssh")]).toEqual([["web1"], ["-A", "web1"], []]);
});

it("new and changed hosts are told from saved ones, wherever they stand", () => {
  const saved = outline([host("a", 2, [field("vip", "1")]), host("b", 4, [])]);
  const now = outline([host("b", 9, []), host("a", 12, [field("vip", "2")]), host("c", 20, [])]);
  expect([...savingOf(saved, now)]).toEqual([["a", "changed"], ["c", "new"]]);
  expect(savingOf(null, now).size).toBe(0);
});
