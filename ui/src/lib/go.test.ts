import { describe, expect, it } from "vitest";

import { asking } from "./asking.svelte";
import { follow } from "./go";
import golden from "./golden/news.json?raw";
import { pageAddress } from "./router.svelte";
import { truth } from "./store.svelte";
import type { News } from "./types/News";

const tale = JSON.parse(golden) as { news: News[] }[];

/** Lets `vault` ask a question, and then lets the person ask for this place. */
function asked(place: News & { kind: "go" }): void {
  for (const batch of tale) {
    truth.hear(batch.news);
    if ((truth.host("vault")?.prompts.length ?? 0) > 0) {
      break;
    }
  }
  asking.close();
  follow([place]);
}

describe("a place that is asked for outside of the window", () => {
  it("is a host", () => {
    asked({ kind: "go", place: { page: "host", host: "vault" } });
    expect(pageAddress(location.hash)).toMatchObject({ page: "host", of: "vault" });
    expect(asking.talk).toBeNull();
  });

  it("is the question of a host", () => {
    asked({ kind: "go", place: { page: "question", host: "vault" } });
    expect(pageAddress(location.hash)).toMatchObject({ page: "host", of: "vault" });
    expect(asking.talk?.prompt.text).toBe("ann's password: ");
  });

  it("is the network", () => {
    asked({ kind: "go", place: { page: "network" } });
    expect(pageAddress(location.hash).page).toBe("network");
  });
});
