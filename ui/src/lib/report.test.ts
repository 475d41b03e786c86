import { expect, it } from "vitest";

import { codeOf, text } from "./report";

it("a refusal has its own words, and its code if the manager has named one", () => {
  const refused = { code: "noFlow", text: "there is no such flow" };
  expect([text(refused), codeOf(refused)]).toEqual(["there is no such flow", "noFlow"]);
  expect(codeOf({ code: null, text: "not open before" })).toBeNull();
});

it("what Tauri refuses is plain text, and a fault of the page is an error", () => {
  expect([text("not allowed"), codeOf("not allowed")]).toEqual(["not allowed", null]);
  expect([text(new Error("broken")), codeOf(new Error("broken"))]).toEqual(["broken", null]);
});
