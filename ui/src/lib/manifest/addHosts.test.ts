import { expect, it } from "vitest";

import { addHosts } from "./addHosts";

const web = { name: "web1", command: ["ssh", "web1", "--", 'say "hi"'] };

it("hosts are added after the last one, with its indentation, and no other line changes", () => {
  const before = "# ours\nhosts:\n    laptop: {}   # me\n    db:\n        cmd: ssh db\n        # its ports\n        ports: [\"5432:127.0.0.1:5432\"]\n\n# The last route wins.\nroutes:\n  - via: db\n    to: [\"10.0.0.0/8\"]\n";
  const added = '    web1:\n      cmd: ["ssh", "web1", "--", "say \\"hi\\""]\n';
  expect(addHosts(before, [web])?.text).toBe(before.replace("\n\n# The last", `\n${added}\n# The last`));
});

it("names are made valid, and do not collide with those of the manifest or with each other", () => {
  const command = ["ssh", "x"];
  const names = ["laptop", "Web_1", "web.1", "0", "localhost", "-"].map((name) => ({ name, command }));
  const added = addHosts('hosts:\n  "laptop": {}\n', names);
  expect([...(added?.text ?? "").matchAll(/^ {2}([^\s:"]+):/gm)].map(([, name]) => name)).toEqual(added?.names);
  expect(added?.names).toEqual(["laptop-2", "web-1", "web-1-2", "host", "host-2", "host-3"]);
});

it("hosts are added where none are yet", () => {
  expect(addHosts("hosts:", [web])?.text).toBe('hosts:\n  web1:\n    cmd: ["ssh", "web1", "--", "say \\"hi\\""]');
  expect(addHosts("hosts: # none yet\nroutes: []\n", [web])?.text).toContain("hosts: # none yet\n  web1:\n");
});

it("a text that is written in another way is left alone", () => {
  expect(addHosts("hosts: {laptop: {}}\n", [web])).toBeNull();
  expect(addHosts("", [web])).toBeNull();
});
