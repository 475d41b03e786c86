import { expect, it } from "vitest";

import { hostLine } from "./hostLine";

const TEXT = `# hosts:
routes:
  - via: web1
hosts:
  # web1: was here
  db:
    aliases: ["web1"]
    web1: no host, since it lies too deep
  "web1":
    cmd: "ssh web1"
  'odd name': {vip: 127.0.42.9}
  web10 : {}
other:
  web2: {}
`;

it("a host is found by its key, however that is written", () => {
  expect(["db", "web1", "odd name", "web10"].map((name) => hostLine(TEXT, name))).toEqual([6, 9, 11, 12]);
});

it("what only looks like a host is none", () => {
  expect(["web", "web2", "via", "aliases", "hosts"].map((name) => hostLine(TEXT, name))).toEqual([null, null, null, null, null]);
  expect(hostLine("", "web1")).toBeNull();
});
