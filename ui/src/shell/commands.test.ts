import { expect, it } from "vitest";

import { matching, type PaletteEntry } from "./commands";

it("the palette finds what begins with the word before what only holds it", () => {
  const entry = (name: string): PaletteEntry => ({ id: name, group: "hosts", name, note: "", run: () => undefined });
  const all = ["my-web", "web1", "w-e-b", "db"].map(entry);
  expect(matching(all, "web").map((each) => each.name)).toEqual(["web1", "my-web", "w-e-b"]);
  expect(matching(all, "nothing")).toEqual([]);
});
