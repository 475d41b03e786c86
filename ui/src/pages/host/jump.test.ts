import { expect, test } from "vitest";

import { jump } from "./jump";

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
