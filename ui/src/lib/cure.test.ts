import { expect, test } from "vitest";

import { cure } from "./cure";
import type { TroubleCause } from "./types/TroubleCause";

test.each([
  ["noContainer", "podman exec -i web norouter", "podman start web"],
  ["noContainer", "/usr/bin/docker exec -e A=B --user root -i my-web norouter", "docker start my-web"],
  ["noContainer", "docker --host tcp://x exec -i web norouter", null],
  ["noContainer", "podman exec -i", null],
  ["noContainer", "kubectl exec -i deploy/api -- norouter", null],
  ["login", "ssh web1 -- norouter", "ssh-add"],
  ["login", "plink web1 norouter", null],
  ["hostKey", "ssh web1 -- norouter", null],
] satisfies [TroubleCause, string, string | null][])("against %s of %s, people run %s", (cause, command, line) => {
  expect(cure({ code: "exited", what: "", cause }, command.split(" "))).toBe(line);
});
