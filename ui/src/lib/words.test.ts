import { expect, it } from "vitest";

import { href, pageAddress } from "./router.svelte";
import { t } from "./strings";

it("every text is there, and none is shouted", () => {
  const texts: [string, string][] = [];
  const walk = (at: string, value: unknown) => {
    if (typeof value === "string") {
      texts.push([at, value]);
    } else if (typeof value === "function") {
      texts.push([at, String((value as (...args: unknown[]) => string)("web1", "web2", "web3", "web4"))]);
    } else if (typeof value === "object" && value !== null) {
      Object.entries(value).forEach(([key, each]) => walk(`${at}.${key}`, each));
    }
  };
  walk("t", t);
  expect(texts.length).toBeGreaterThan(200);
  expect(texts.filter(([, text]) => text.includes("!") || text.includes("undefined"))).toEqual([]);
});

it("a page and its address are the same, whatever a host is called", () => {
  for (const name of ["web1", "a/b", "ü %", "x?y#z"]) {
    expect(pageAddress(href("host", name))).toMatchObject({ page: "host", of: name });
  }
  expect(pageAddress(href("log", undefined, { host: "web1" })).query.get("host")).toBe("web1");
  expect(pageAddress("").page).toBe("network");
  expect(pageAddress("#/nowhere").page).toBe("network");
  expect(pageAddress("#/host/%E0%A4%A").of).toBe("%E0%A4%A");
});
