import { expect, test } from "vitest";

import { pieces } from "./links";

const urls = (text: string): string[] =>
  pieces(text)
    .filter(({ url }) => url)
    .map((piece) => piece.text);

test("addresses are found without what stands around them", () => {
  expect(urls("To authenticate, visit: https://login.example.com/a/1?b=2&c=[3]#d.")).toEqual(["https://login.example.com/a/1?b=2&c=[3]#d"]);
  expect(urls("<http://a.example.com:81/x>, (https://b.example.com/) 'https://c.example.com'")).toEqual([
    "http://a.example.com:81/x",
    "https://b.example.com/",
    "https://c.example.com",
  ]);
});

test("other texts are not addresses", () => {
  expect(urls("https:// http://me@example.com/ ftp://example.com/ javascript:alert(1) //example.com")).toEqual([]);
});

test("the pieces are the whole text", () => {
  for (const text of ["", "no address", "https://a.example.com/", "x https://me@a/ y https://b.example.com/, z"]) {
    expect(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text);
  }
});
