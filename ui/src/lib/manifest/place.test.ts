import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { complete, explain, hostNames } from "./complete";
import { placeAt } from "./place";
import type { Schema } from "./schema";

// Tests run in the folder `ui`.
const schema = JSON.parse(readFileSync("../docs/manifest.schema.json", "utf8")) as Schema;

/** A text without its `|`, and the position of the cursor, which the `|` marks. */
function cut(marked: string): [string, number] {
  const at = marked.indexOf("|");
  return [marked.slice(0, at) + marked.slice(at + 1), at];
}

function place(marked: string) {
  const { path, what, word, siblings } = placeAt(...cut(marked));
  return [path.join("/"), what, word, siblings.join(" ")];
}

function labels(marked: string): string[] {
  return complete(schema, ...cut(marked))?.offers.map((offer) => offer.label) ?? [];
}

describe("where a position is", () => {
  it("is known by indentation", () => {
    expect(place("|")).toEqual(["", "key", "", ""]);
    expect(place("hosts:\n  web1:\n    vi|")).toEqual(["hosts/web1", "key", "vi", ""]);
    expect(place("hosts:\n  web1:\n    cmd: ssh x|")).toEqual(["hosts/web1/cmd", "value", "ssh x", ""]);
    expect(place("hosts:\n  a:\n    vip: x\n  b:\n    |")).toEqual(["hosts/b", "key", "", ""]);
    expect(place("hosts:\n  a:\n    http:\n      listen: x\n    |\n    vip: y\n  b:\n    cmd: z")).toEqual(["hosts/a", "key", "", "http vip"]);
    expect(place("# x\nhosts:\n  a:\n\n    # y\n    |")).toEqual(["hosts/a", "key", "", ""]);
    expect(place("hosts:\n  a: {}\nro|")).toEqual(["", "key", "ro", "hosts"]);
  });

  it("is known in lists, at both depths that they may have", () => {
    expect(place("routes:\n  - via: |")).toEqual(["routes/[]/via", "value", "", ""]);
    expect(place("routes:\n- via: b|")).toEqual(["routes/[]/via", "value", "b", ""]);
    expect(place("routes:\n  - via: b\n    |")).toEqual(["routes/[]", "key", "", "via"]);
    expect(place("routes:\n  - via: b\n    to: []\n  - |")).toEqual(["routes/[]", "key", "", ""]);
    expect(place("routes:\n  - |\n    to: x\n  - via: y")).toEqual(["routes/[]", "key", "", "to"]);
    expect(place("routes:\n  - to:\n      - 10.|")).toEqual(["routes/[]/to/[]", "key", "10.", ""]);
    expect(place("routes:\n- to:\n  - 10.|")).toEqual(["routes/[]/to/[]", "key", "10.", ""]);
  });

  it("is known in braces", () => {
    expect(place("hosts:\n  a:\n    http: {|")).toEqual(["hosts/a/http", "key", "", ""]);
    expect(place("hosts:\n  a:\n    http: {listen: x, al|}")).toEqual(["hosts/a/http", "key", "al", "listen"]);
    expect(place("hosts:\n  a:\n    http: {allowRemote: t|")).toEqual(["hosts/a/http/allowRemote", "value", "t", ""]);
    expect(place("routes:\n  - via: [b1, b|")).toEqual(["routes/[]/via/[]", "value", "b", ""]);
    expect(place("hosts: {a: {http: {|")).toEqual(["hosts/a/http", "key", "", ""]);
    expect(place("hosts:\n  a: {loopback: {disable: true}, |")).toEqual(["hosts/a", "key", "", "loopback"]);
  });

  it("is nowhere in comments and quotes", () => {
    for (const text of ["# |", "hosts: # x|", "a: \"b|", "a: 'b|"]) {
      expect(place(text)[1], text).toBe("none");
    }
    expect(place("a: it's |")[1]).toBe("value");
  });
});

describe("what is offered", () => {
  it("is the keys that are not there yet", () => {
    expect(labels("|")).toEqual(["hostTemplate", "hosts", "network", "policy", "routes"]);
    const keys = labels("hosts:\n  a:\n    vip: x\n    |");
    expect(keys).toContain("cmd");
    expect(keys).not.toContain("vip");
    expect(labels("hosts:\n  |")).toEqual([]);
    expect(labels("hosts:\n  a:\n    http: {|")).toEqual(["allow", "allowRemote", "credentials", "listen"]);
    expect(labels("routes:\n  - |")).toEqual(["notTo", "to", "via"]);
  });

  it("is the values that the schema names, and examples", () => {
    expect(labels("hosts:\n  a:\n    writeEtcHosts: |")).toEqual(["true", "false"]);
    expect(labels("hosts:\n  a:\n    ports:\n      - |")).toEqual([]);
    expect(labels("network: |")).toEqual(["127.0.42.0/24"]);
  });

  it("is no true or false where they would be texts", () => {
    expect(labels("hosts:\n  a:\n    aliases:\n      - |")).toEqual([]);
    expect(labels("hosts:\n  a:\n    stateDir: {pathOnAgent: |")).toEqual(["~/.norouter/agent"]);
  });

  it("is the hosts of the text where a gateway is named", () => {
    const hosts = "hosts:\n  # one\n  laptop:\n    vip: a\n  'bastion':\n    cmd: b\n  \"db-1\": {}\nroutes:\n";
    expect(hostNames(hosts)).toEqual(["laptop", "bastion", "db-1"]);
    expect(labels(`${hosts}  - via: |`)).toEqual(["laptop", "bastion", "db-1"]);
    expect(labels(`${hosts}  - via: [laptop, |`)).toEqual(["laptop", "bastion", "db-1"]);
    expect(labels(`${hosts}  - via:\n      - |`)).toEqual(["laptop", "bastion", "db-1"]);
  });

  it("is written with what belongs behind it", () => {
    const insert = (marked: string, label: string) =>
      complete(schema, ...cut(marked))?.offers.find((offer) => offer.label === label)?.insert;
    expect(insert("hosts:\n  a:\n    |", "cmd")).toBe("cmd: ");
    expect(insert("hosts:\n  a:\n    |", "http")).toBe("http:\n      ");
    expect(insert("hosts:\n  a:\n    |", "ports")).toBe("ports:\n      - ");
    expect(insert("hosts:\n  a: {|", "http")).toBe("http: ");
    expect(insert("network: |", "127.0.42.0/24")).toBe('"127.0.42.0/24"');
  });
});

describe("what is explained", () => {
  it("is the key under the pointer", () => {
    const at = (marked: string) => explain(schema, ...cut(marked));
    expect(at("hosts:\n  a:\n    v|ip: x")).toMatchObject({ key: "vip", about: expect.stringContaining("address") });
    expect(at("hosts:\n  a:\n    http: {lis|ten: x}")?.about).toContain("listen on");
    expect(at("hosts:\n  a:\n    vip: x|x")).toBeNull();
    expect(at("hosts:\n  a|:\n    vip: x")).toBeNull();
    expect(at("unknown|: x")).toBeNull();
  });
});
