import { expect, it } from "vitest";

import { matching, type PaletteEntry } from "./commands";

it("the palette finds what begins with the word before what only holds it", () => {
  const entry = (name: string): PaletteEntry => ({ id: name, group: "hosts", name, note: "", run: () => undefined });
  const all = ["my-web", "web1", "w-e-b", "db"].map(entry);
  expect(matching(all, "web").map((each) => each.name)).toEqual(["web1", "my-web", "w-e-b"]);
  expect(matching(all, "nothing")).toEqual([]);
});

it("a name that was typed in full comes first, whatever else begins with it", () => {
  const entry = (name: string): PaletteEntry => ({ id: name, group: "commands", name, note: "", run: () => undefined });
  const all = ["Copy the address of db:5432", "Copy the address of db"].map(entry);
  expect(matching(all, "copy the address of DB ").map((each) => each.name)).toEqual(["Copy the address of db", "Copy the address of db:5432"]);
});
