import { describe, expect, it } from "vitest";

import type { HostOutline } from "../../../lib/types/HostOutline";
import type { Subject } from "./subject";
import { changeWay, partEdits, targetValue } from "./ways";

const owner = { kind: "host", name: "web" } as const;
const field = (field: string, value: string) => ({ field, value, origin: { kind: "own", index: null } as const, items: null });
const host = (...fields: HostOutline["fields"]): HostOutline => ({ name: "web", vip: "", way: "cmd", argv: [], fields, line: 1 });
const subject = (...fields: HostOutline["fields"]): Subject => ({ owner, fields, problems: new Map(), template: [] });
const clear = (field: string) => ({ kind: "clear", owner, field, reach: null });
const set = (field: string, value: unknown) => ({ kind: "set", owner, field, value, reach: null });

describe("another way to reach a host", () => {
  it("takes the place of the old one, with all of its parts", () => {
    expect(changeWay(host(field("vip", "x"), field("kubernetes.pod", "p"), field("kubernetes.context", "c")), "ssh", "-p 2222 me@web")).toEqual([clear("kubernetes"), set("ssh", ["-p", "2222", "me@web"])]);
    expect(changeWay(host(field("cmd", "x")), "local", "")).toEqual([clear("cmd")]);
  });

  it("has the form that the manifest wants", () => {
    expect(targetValue("ssh", "web")).toBe("web");
    expect(targetValue("shell", "ip netns exec 'h 1'")).toEqual(["ip", "netns", "exec", "h 1"]);
    expect(targetValue("cmd", "ssh web -- norouter")).toBe("ssh web -- norouter");
  });
});

describe("a part of the way", () => {
  it("takes the place of what cannot stand beside it", () => {
    expect(partEdits(subject(field("kubernetes.deployment", "api")), "kubernetes.pod", "api-0")).toEqual([set("kubernetes.pod", "api-0"), clear("kubernetes.deployment")]);
    expect(partEdits(subject(field("docker", "app")), "docker.service", "web")).toEqual([clear("docker"), set("docker.service", "web")]);
    expect(partEdits(subject(field("docker.service", "web")), "docker", "app")).toEqual([clear("docker"), set("docker", "app")]);
    expect(partEdits(subject(field("kubernetes.pod", "p")), "kubernetes.context", "c")).toEqual([set("kubernetes.context", "c")]);
  });

  it("goes when it is emptied", () => {
    expect(partEdits(subject(field("kubernetes.context", "c")), "kubernetes.context", "")).toEqual([clear("kubernetes.context")]);
  });
});
