import { describe, expect, it, test } from "vitest";

import { prefixOf } from "../../lib/diagram/grouping";
import { pathOf } from "../../lib/jump";
import type { HostState } from "../../lib/types/HostState";
import { type Grouped, groupsOf } from "./groups";

const host = (name: string, command = "", state: HostState = "ready", told?: string): Grouped => ({
  name,
  state,
  path: pathOf(command.split(" ").filter(Boolean), told),
});
const FLEET = [
  host("laptop"),
  host("prod-eu-db-01", "ssh -J jump prod-eu-db-01"),
  host("prod-eu-db-02", "ssh -J jump prod-eu-db-02", "waiting"),
  host("lab-1.example.com", "ssh lab-1", "ready", "jump"),
  host("lab-2.example.com", "/usr/bin/podman exec -i lab norouter", "refused"),
];
const told = (by: Parameters<typeof groupsOf>[1]) => groupsOf(FLEET, by).map((group) => `${group.title}: ${group.hosts.length}`);

describe("groups", () => {
  it("are by the beginning of the name, and single hosts are together", () => {
    expect(told("prefix")).toEqual(["prod-eu-db: 2", "lab: 2", "others: 1"]);
  });

  it("are by the path to the host", () => {
    expect(told("path")).toEqual(["on this machine: 1", "via jump: 3", "through podman: 1"]);
  });

  it("are by state, with what needs a look first", () => {
    expect(told("state")).toEqual(["cannot start: 1", "retrying: 1", "ready: 3"]);
  });

  it("are one without a title if none are wanted, and none without hosts", () => {
    expect(told("none")).toEqual([": 5"]);
    expect(groupsOf([], "none")).toEqual([]);
  });
});

test.each([
  ["web1", "web"],
  ["prod-eu-web-03.eu-central-1.example.com", "prod-eu-web"],
  ["db", "db"],
  ["db.example.com", "db"],
  ["10.0.0.1", ""],
])("the prefix of %s is %s", (name, prefix) => {
  expect(prefixOf(name)).toBe(prefix);
});
