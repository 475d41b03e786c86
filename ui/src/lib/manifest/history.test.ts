import { beforeEach, expect, it } from "vitest";

import { history, remember } from "./history";

beforeEach(() => localStorage.clear());
const texts = (path: string) => history(path, localStorage).map((one) => one.text);

it("the last text that was replaced comes first, and each file has its own", () => {
  remember("/a.yaml", "one", 1, localStorage);
  remember("/a.yaml", "two", 2, localStorage);
  remember("/b.yaml", "other", 3, localStorage);
  expect(history("/a.yaml", localStorage)).toEqual([{ untilMs: 2, text: "two" }, { untilMs: 1, text: "one" }]);
  expect(texts("/b.yaml")).toEqual(["other"]);
});

it("a text that comes back is listed once, at its last moment", () => {
  ["one", "two", "one"].forEach((text, at) => remember("/a.yaml", text, at, localStorage));
  expect(history("/a.yaml", localStorage)).toEqual([{ untilMs: 2, text: "one" }, { untilMs: 1, text: "two" }]);
});

it("the number and the size of the texts have a bound", () => {
  for (let at = 0; at < 30; at += 1) {
    remember("/a.yaml", `text ${at}`, at, localStorage);
  }
  expect(texts("/a.yaml")).toHaveLength(20);
  expect(texts("/a.yaml")[0]).toBe("text 29");
  remember("/a.yaml", "x".repeat(399_950), 31, localStorage);
  expect(texts("/a.yaml")).toHaveLength(1);
  remember("/a.yaml", "y".repeat(500_000), 32, localStorage);
  expect(texts("/a.yaml"), "a text that is too large is left out").toEqual(["x".repeat(399_950)]);
});

it("damaged entries are left out", () => {
  localStorage.setItem("norouter.history /a.yaml", '[{"untilMs":1,"text":"one"},{"text":2},null]');
  expect(texts("/a.yaml")).toEqual(["one"]);
  localStorage.setItem("norouter.history /a.yaml", "{");
  expect(texts("/a.yaml")).toEqual([]);
});
