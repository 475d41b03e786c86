import { expect, it } from "vitest";

import type { ImportOffer } from "../types/ImportOffer";
import { addOffers, freeName } from "./newHosts";

it("a taken name gets a number, whatever its case", () => {
  expect(freeName("web", [])).toBe("web");
  expect(freeName("web", ["WEB", "web-2"])).toBe("web-3");
});

it("offers become hosts with free names, and one that cannot be used does not", () => {
  const offer = (host: string, kind: string, unusable: string | null = null): ImportOffer => ({ id: `${kind}:${host}`, kind, name: host, host, line: `${kind}: ${host}`, fields: unusable === null ? { [kind]: host } : {}, detail: "", unusable });
  const { names, edits } = addOffers([offer("db", "ssh"), offer("db", "podman"), offer("x", "ssh", "it has no shell")], ["db"]);
  expect(names).toEqual(["db-2", "db-3"]);
  expect(edits).toEqual([
    { kind: "addHost", name: "db-2", fields: { ssh: "db" } },
    { kind: "addHost", name: "db-3", fields: { podman: "db" } },
  ]);
});
