import { describe, expect, it } from "vitest";
import { asAddresses, asCurl, BUILT_IN, PUBLISHED, type Row, ruleOf, stateOf } from "./flow";
import { hasTerm, parseFilter, passes, term, toggleTerm } from "./flowFilter";
import * as flows from "./flows";
import type { EndedFlowView } from "./types/EndedFlowView";
import type { FlowOutcome } from "./types/FlowOutcome";
import type { FlowView } from "./types/FlowView";

function flow(port: number, more: Partial<FlowView> = {}): FlowView {
  const src = `127.0.42.100:${port}`;
  const dst = more.dst ?? "127.0.42.101:8080";
  return {
    id: `${src}-${dst}`,
    from: "laptop",
    to: "web1",
    src,
    dst,
    name: "web1:8080",
    state: "open",
    bytesFrom: 10,
    bytesTo: 20,
    rateFrom: 1,
    rateTo: 2,
    packets: 4,
    ageMs: 5_000,
    idleMs: 0,
    rttUs: 900,
    ...more,
  };
}

function table(...all: FlowView[]): flows.Table {
  return flows.merge(flows.EMPTY, { total: all.length, flows: all }, 0);
}

function row(more: Partial<FlowView> = {}, closedAt: number | null = null): Row {
  return { key: 1, flow: flow(50_000, more), closedAt };
}

const BY_AGE: flows.Sort = { column: "age", down: false };
const ALL = parseFilter("");

describe("from poll to poll", () => {
  it("keeps the key of a flow that lives", () => {
    const one = table(flow(1), flow(2));
    const two = flows.merge(one, { total: 2, flows: [flow(2, { ageMs: 6_000 }), flow(1)] }, 1_000);
    const key = (from: flows.Table, id: string) => from.rows.find((row) => row.flow.id === id)?.key;
    const id = flow(2).id;
    expect(key(two, id)).toBe(key(one, id));
    expect(two.rows).toHaveLength(2);
  });

  it("shows a flow that is over for a while, without a rate", () => {
    const one = table(flow(1), flow(2, { rateTo: 5_000 }));
    const two = flows.merge(one, { total: 1, flows: [flow(1)] }, 1_000);
    const over = two.rows.find((row) => row.closedAt !== null);
    expect(over).toMatchObject({ closedAt: 1_000, flow: { id: flow(2).id, rateTo: 0, bytesTo: 20 } });
    const later = flows.merge(two, { total: 1, flows: [flow(1)] }, 999 + flows.KEEP_CLOSED_MS);
    expect(later.rows).toHaveLength(2);
    const latest = flows.merge(later, { total: 1, flows: [flow(1)] }, 1_000 + flows.KEEP_CLOSED_MS);
    expect(latest.rows).toHaveLength(1);
  });

  it("takes a younger flow between the same ports for another one", () => {
    const one = table(flow(1));
    const two = flows.merge(one, { total: 1, flows: [flow(1, { ageMs: 10 })] }, 1_000);
    expect(two.rows.map((row) => [row.key, stateOf(row)])).toEqual([
      [2, "open"],
      [1, "closed"],
    ]);
  });

  it("does not call a flow closed that an answer had no room for", () => {
    const one = table(flow(1), flow(2));
    const two = flows.merge(one, { total: 10_001, flows: [flow(1)] }, 1_000);
    expect(two.rows.map((row) => row.flow.id)).toEqual([flow(1).id]);
    expect(two.total).toBe(10_001);
  });

  it("takes in 10,000 flows without a walk through all for each", () => {
    const many = Array.from({ length: 10_000 }, (_, at) => flow(at));
    const view = { total: many.length, flows: many };
    const began = performance.now();
    let now = flows.merge(flows.EMPTY, view, 0);
    now = flows.merge(now, view, 1_000);
    const shown = flows.select(now.rows, parseFilter("host:web1 -port:7"), { column: "bytes", down: true });
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(shown).toHaveLength(9_999);
  });
});

describe("order", () => {
  it("sorts by each column, and back", () => {
    const all = table(
      flow(1, { ageMs: 3, bytesTo: 1, rttUs: undefined, from: "b10", name: "x:2", via: "gate", rule: "10.0.0.0/8", state: "closing" }),
      flow(2, { ageMs: 1, bytesTo: 3, rttUs: 7, from: "b9", name: "x:10", rateTo: 9 }),
      flow(3, { ageMs: 2, bytesTo: 2, rttUs: 9, from: "a", name: "a:1", rateFrom: 9, state: "opening" }),
    );
    const ids = (column: flows.Column, down = false) =>
      flows.select(all.rows, ALL, { column, down }).map((row) => Number(row.flow.src.split(":")[1]));
    expect(flows.COLUMNS.map((column) => [column, ids(column)])).toEqual([
      ["state", [3, 2, 1]],
      ["from", [3, 2, 1]],
      ["to", [3, 1, 2]],
      ["rule", [1, 2, 3]],
      ["via", [2, 3, 1]],
      ["rateFrom", [1, 2, 3]],
      ["rateTo", [1, 3, 2]],
      ["bytes", [1, 3, 2]],
      ["rtt", [1, 2, 3]],
      ["age", [2, 3, 1]],
    ]);
    expect(ids("age", true)).toEqual([1, 3, 2]);
  });

  it("begins with what is looked for, and turns round at the second press", () => {
    const bytes = flows.sortBy(BY_AGE, "bytes");
    expect(bytes).toEqual({ column: "bytes", down: true });
    expect(flows.sortBy(bytes, "bytes")).toEqual({ column: "bytes", down: false });
    expect(flows.sortBy(bytes, "from")).toEqual({ column: "from", down: false });
  });

  it("leaves the rows that it is given as they are", () => {
    const { rows } = table(flow(1, { ageMs: 9 }), flow(2));
    const before = rows.slice();
    flows.select(rows, ALL, BY_AGE);
    expect(rows).toEqual(before);
  });
});

describe("filter", () => {
  const lets = (text: string, more: Partial<FlowView> = {}, closedAt: number | null = null) =>
    passes(parseFilter(text), row(more, closedAt));

  it("looks through all that is shown when no field is named", () => {
    for (const text of ["", "LAP", "web1:8080", "127.0.42.101", "open", "lap web"]) expect(lets(text), text).toBe(true);
    for (const text of ["web2", "lap web2"]) expect(lets(text), text).toBe(false);
  });

  it("knows fields, lists, ranges and exclusions", () => {
    for (const text of [
      "host:web1",
      "host:web1 host:laptop",
      "from:laptop to:web1",
      "port:8080",
      "port:8000-8999",
      "port:1,8080",
      "port:50000",
      "state:open",
      "state:op,clos",
      "-web2",
      "-port:443",
      "-via:gate",
    ])
      expect(lets(text), text).toBe(true);
    for (const text of ["host:web2", "from:web1", "port:443", "state:closed", "-web1", "-host:web2,web1", "via:gate"])
      expect(lets(text), text).toBe(false);
    expect(lets("state:open", { state: "opening" })).toBe(false);
    expect(lets("state:closed", {}, 5)).toBe(true);
    expect(lets("via:gate", { via: "gate" })).toBe(true);
  });

  it("knows why a flow goes where it goes", () => {
    const out = { via: "gate", rule: "10.0.0.0/8" };
    const named = { via: "gate", rule: "*.corp, *.internal" };
    const told: [string, Partial<FlowView>][] = [
      ["rule:10.0.0.0/8", out],
      ["10.0.0.0/8", out],
      [term("rule", "*.corp, *.internal"), named],
      ["rule:*.internal", named],
      [term("rule", PUBLISHED), {}],
      [term("rule", BUILT_IN), { name: "web1:dns" }],
      ["-rule:published", out],
    ];
    for (const [text, more] of told) expect(lets(text, more), text).toBe(true);
    for (const text of ["rule:10.0.0.0/8", term("rule", BUILT_IN), "-rule:published"]) expect(lets(text), text).toBe(false);
    // If the manager does not report a rule, the flow does not necessarily belong to a published port.
    expect(ruleOf(row({ via: "gate" }).flow)).toBe("");
  });

  it("does not empty the table while a term is being typed", () => {
    for (const text of ["host:", "-", "port:", '"', "-host:", '""']) {
      expect(parseFilter(text), text).toEqual({ terms: [], odd: [] });
    }
  });

  it("says which words it does not understand", () => {
    expect(parseFilter("port:http state:gone web port:80").odd).toEqual(["port:http", "state:gone"]);
  });

  it("keeps what quotes hold together", () => {
    expect(parseFilter('-"a b" host:"c d"').terms).toEqual([
      { field: null, not: true, wanted: ["a b"] },
      { field: "host", not: false, wanted: ["c d"] },
    ]);
  });

  it("takes a term in and out again", () => {
    const once = toggleTerm("host:web1", term("host", "laptop", true));
    expect(once).toBe("host:web1 -host:laptop");
    expect([hasTerm(once, "-host:laptop"), hasTerm(once, "host:laptop"), hasTerm('"rule:a b"', term("rule", "a b"))]).toEqual([true, false, true]);
    expect(toggleTerm(once, "-host:laptop")).toBe("host:web1");
    const spaced = toggleTerm("", term(null, "a b", true));
    expect(parseFilter(spaced).terms).toEqual([{ field: null, not: true, wanted: ["a b"] }]);
    expect(toggleTerm(spaced, spaced)).toBe("");
  });
});

describe("what is done with rows", () => {
  it("closes only what lives", () => {
    expect(flows.closable([row(), row({}, 1)])).toHaveLength(1);
  });

  it("moves the selection and stops at the ends", () => {
    const { rows } = table(flow(1), flow(2), flow(3));
    const to = (selected: number | null, by: number) => flows.moved(rows, selected, by)?.key;
    expect([to(null, 1), to(null, -1), to(1, 1), to(3, 1), to(1, -9), to(2, 9), to(99, 1)]).toEqual([1, 3, 2, 3, 1, 3, 1]);
    expect(flows.moved([], 1, 1)).toBeNull();
  });

  it("writes a command that asks the same end", () => {
    const curl = (more: Partial<FlowView>, proxy?: string) => asCurl(flow(1, more), proxy);
    expect(curl({})).toBe("curl -v http://127.0.42.101:8080/");
    expect(curl({ dst: "127.0.42.101:80" })).toBe("curl -v http://127.0.42.101/");
    expect(curl({ dst: "127.0.42.101:443" }, "127.0.0.1:1")).toBe("curl -v https://127.0.42.101/");
    expect(curl({ dst: "10.0.0.5:6443", via: "gate" }, "127.0.0.1:18080")).toBe(
      "curl -v --proxy http://127.0.0.1:18080 https://10.0.0.5:6443/",
    );
    expect(curl({ name: "web1:dns" })).toBeNull();
    expect(asAddresses(flow(1))).toBe("127.0.42.100:1 127.0.42.101:8080");
  });
});

describe("flows that have ended", () => {
  const ended = (id: string, endedMs: number, outcome: FlowOutcome, more: Partial<EndedFlowView> = {}): EndedFlowView => ({
    id,
    from: "laptop",
    to: "web1",
    src: "127.0.42.100:40000",
    dst: "127.0.42.101:8080",
    name: "web1:8080",
    outcome,
    bytesFrom: 90,
    bytesTo: 2000,
    lastedMs: 12,
    endedMs,
    ...more,
  });
  const first = flows.mergeRecent(flows.NONE_RECENT, { nowMs: 100, ended: [ended("a", 10, "closed"), ended("b", 20, "refused", { to: undefined })] });
  const keysOf = (rows: Row[]) => rows.map((row) => row.key);

  it("keep their keys, and the same ports later are another flow", () => {
    const second = flows.mergeRecent(first, { nowMs: 200, ended: [ended("a", 10, "closed"), ended("b", 20, "refused"), ended("a", 150, "closed")] });
    expect(keysOf(second.rows).slice(0, 2)).toEqual(keysOf(first.rows));
    expect(new Set(keysOf(second.rows)).size).toBe(3);
  });

  it("are sorted with the last one first, and found by their outcome", () => {
    const sort = { column: "ended", down: true } as const;
    const found = (filter: string) => flows.selectRecent(first.rows, parseFilter(filter), sort).map((row) => row.flow.id);
    expect(found("")).toEqual(["b", "a"]);
    expect(found("state:refused")).toEqual(["b"]);
    expect(found("-state:refused")).toEqual(["a"]);
    expect(found("state:closed host:web1")).toEqual(["a"]);
  });

  it("hold still while they are held, and new ones come last", () => {
    const order = new Map(first.rows.map((row, at) => [row.key, at]));
    const second = flows.mergeRecent(first, { nowMs: 200, ended: [ended("c", 150, "lost"), ended("a", 10, "closed"), ended("b", 20, "refused")] });
    const sorted = flows.selectRecent(second.rows, parseFilter(""), { column: "ended", down: true });
    expect(sorted.map((row) => row.flow.id)).toEqual(["c", "b", "a"]);
    expect(flows.heldIn(sorted, order).map((row) => row.flow.id)).toEqual(["a", "b", "c"]);
    expect(flows.heldIn(sorted, null)).toBe(sorted);
  });
});
