import { flushSync } from "svelte";
import { expect, it } from "vitest";

import { Steady } from "./steady.svelte";

it("what depends on a steady value runs again only if its content differs", () => {
  let hosts = $state.raw([{ name: "web1", state: "ready", latency: 10 }]);
  const seen: string[] = [];
  const end = $effect.root(() => {
    const states = new Steady(() => hosts.map(({ name, state }) => `${name} ${state}`));
    $effect(() => {
      seen.push(states.now.join(", "));
    });
  });
  flushSync();
  hosts = [{ name: "web1", state: "ready", latency: 20 }];
  flushSync();
  hosts = [{ name: "web1", state: "waiting", latency: 20 }];
  flushSync();
  end();
  expect(seen).toEqual(["web1 ready", "web1 waiting"]);
});
