import { expect, test } from "vitest";

import { jump, pathOf, shortly } from "./jump";

test.each([
  ["ssh web1 -- norouter", ""],
  ["/usr/bin/ssh -J jump.example.com web1 -- norouter", "jump.example.com"],
  ["ssh -Jann@jump:2222 web1", "ann@jump:2222"],
  ["ssh -p 22 -o ProxyJump=a,b web1", "a,b"],
  ["ssh -oproxyjump=a web1", "a"],
  ["ssh -o ProxyJump=none web1", ""],
  ["ssh web1 -- norouter -J x", ""],
  ["kubectl exec -i pod -- norouter", null],
  ["", null],
])("%s", (line, machine) => {
  expect(jump(line.split(" ").filter(Boolean))).toBe(machine);
});

test.each([
  ["", "/here"],
  ["ssh web1 -- norouter", "/direct"],
  ["ssh -J jump web1 -- norouter", "/via jump"],
  ["/usr/bin/kubectl exec -i pod -- norouter", "/program kubectl"],
])("the way of “%s” is %s", (line, key) => {
  expect(pathOf(line.split(" ").filter(Boolean)).key).toBe(key);
});

test.each([
  ["ssh web1 -- norouter", "gate,jump", "/via gate,jump"],
  ["ssh -J jump web1 -- norouter", "", "/direct"],
  ["/opt/bin/my-ssh web1", "gate", "/via gate"],
  ["", "gate", "/here"],
])("the way of “%s” is what OpenSSH tells: “%s”", (line, told, key) => {
  expect(pathOf(line.split(" ").filter(Boolean), told).key).toBe(key);
});

test("several jump hosts are told with room between them, and shortly without their domains", () => {
  const path = pathOf(["ssh", "web1"], "ann@gate.example.com,192.0.2.7,jump.example.com:2222");
  const machines = path.kind === "via" ? path.machines : "";
  expect(machines).toBe("ann@gate.example.com, 192.0.2.7, jump.example.com:2222");
  expect(shortly(machines)).toBe("ann@gate, 192.0.2.7, jump.example.com:2222");
});
