import { expect, it } from "vitest";

import { grouped, isGroup, type Listed } from "./commandGroups";
import type { ConsentHost } from "./types/ConsentHost";

const host = (name: string, command: string[]): ConsentHost => ({ host: name, vip: "127.0.42.1", command, previous: null, change: "new" });
const told = (all: Listed[]) => all.map((each) => (isGroup(each) ? `${each.members.length} x ${each.pattern.join(" ")}` : each.command.join(" ")));

/** Every command, rebuilt from what is shown. */
const again = (all: Listed[]) =>
  all.flatMap((each) => (isGroup(each) ? each.members.map(({ value }) => each.pattern.map((word) => word.replaceAll("*", value)).join(" ")) : [each.command.join(" ")])).toSorted();

it("equal commands are one group, and every exact command can be made from it", () => {
  const many = Array.from({ length: 140 }, (_, at) => host(`node-${at}`, ["ip", "netns", "exec", `n${at}`, "norouter"]));
  const hosts = [host("db", ["ssh", "db"]), ...many, host("nas", ["docker", "exec", "nas", "norouter"])];
  expect(told(grouped(hosts))).toEqual(["ssh db", "docker exec nas norouter", "140 x ip netns exec * norouter"]);
  expect(again(grouped(hosts))).toEqual(hosts.map(({ command }) => command.join(" ")).toSorted());
});

it("the name of the host is one part, however often a command has it", () => {
  const hosts = ["a1", "b2", "c3", "d4"].map((name) => host(name, ["ssh", "-F", `${name}.conf`, `ada@${name}.example.com`]));
  expect(told(grouped(hosts))).toEqual(["4 x ssh -F *.conf ada@*.example.com"]);
});

it("another program, another option or a script never hides in a group", () => {
  const many = Array.from({ length: 9 }, (_, at) => host(`n${at}`, ["ip", "netns", "exec", `n${at}`, "norouter"]));
  const odd = [host("e1", ["sh", "netns", "exec", "n1", "norouter"]), host("e2", ["ip", "netns", "exec", "n2", "norouter", "-x"]), host("e3", ["ip", "-x", "exec", "n3", "norouter"])];
  expect(told(grouped([...many, ...odd]))).toEqual([...odd.map(({ command }) => command.join(" ")), "9 x ip netns exec * norouter"]);
  const scripts = Array.from({ length: 9 }, (_, at) => host(`s${at}`, ["sh", "-c", `rm -r ${at}`]));
  expect(told(grouped(scripts))).toEqual(scripts.map(({ command }) => command.join(" ")));
  const starred = Array.from({ length: 9 }, (_, at) => host(`s${at}`, ["ls", "*", `s${at}`]));
  expect(grouped(starred)).toEqual(starred);
});

it("a few commands are shown one by one", () => {
  const few = ["a", "b", "c"].map((name) => host(name, ["ssh", name]));
  expect(grouped(few)).toEqual(few);
});
