import { expect, test } from "vitest";

import { jump, pathOf } from "./jump";

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
