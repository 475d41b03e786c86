import { describe, expect, it } from "vitest";

import golden from "./golden/news.json?raw";
import words from "./golden/words.json?raw";
import { states } from "./strings/states";
import { isUp, MAX_LINES, MAX_SAMPLES, needsAttention, nothing, openFlows, reduce, reduceAll, tally, type State } from "./truth";
import type { App } from "./types/App";
import type { HostState } from "./types/HostState";
import type { HostView } from "./types/HostView";
import type { LogLine } from "./types/LogLine";
import type { ManifestText } from "./types/ManifestText";
import type { NetworkView } from "./types/NetworkView";
import type { News } from "./types/News";

function host(name: string, more: Partial<HostView> = {}): HostView {
  return {
    name,
    vip: "127.0.42.101",
    ports: [8080],
    state: "ready",
    sinceMs: 0,
    troubles: [],
    stderr: [],
    traffic: { flows: 0, bytesFrom: 0, bytesTo: 0, refused: 0, malformed: 0, spoofed: 0, stray: 0, shed: 0 },
    prompts: [],
    ...more,
  };
}

function network(nowMs: number, hosts: HostView[], more: Partial<NetworkView> = {}): NetworkView {
  return { network: "office", version: "1.0.0", pid: 1, uptimeMs: nowMs, nowMs, hosts, ...more };
}

function moved(bytesFrom: number, bytesTo = 0): HostView {
  return host("web1", { traffic: { flows: 1, bytesFrom, bytesTo, refused: 0, malformed: 0, spoofed: 0, stray: 0, shed: 0 } });
}

function line(seq: number): LogLine {
  return { seq, timeMs: seq, sentence: `line ${seq}`, type: "stderr", host: "web1", vip: "127.0.42.101", line: `line ${seq}` };
}

function after(...views: NetworkView[]): State {
  return reduceAll(nothing, views.map((view) => ({ kind: "network", network: view })));
}

describe("the network", () => {
  it("gives rates from two looks and the time between them", () => {
    const state = after(network(1000, [moved(0)]), network(3000, [moved(5000, 1000)]));
    expect(state.histories["web1"]?.at(-1)).toMatchObject({ atMs: 3000, rateFrom: 2500, rateTo: 500 });
  });

  it("has another plan when a command is approved, and when one begins to wait for approval", () => {
    const held = host("web1", { held: { number: 1, command: ["ssh", "-C", "web1"] } });
    const waits = after(network(1000, [held]));
    const approved = reduce(waits, { kind: "host", host: host("web1", { state: "greeting" }) });
    expect(approved.planned).toBeGreaterThan(waits.planned);
    const seen = reduce(waits, { kind: "network", network: network(2000, [host("web1")]) });
    expect(seen.planned).toBeGreaterThan(waits.planned);
    const again = reduce(approved, { kind: "host", host: held });
    expect(again.planned).toBeGreaterThan(approved.planned);
    const same = reduce(again, { kind: "network", network: network(3000, [held]) });
    expect(same.planned).toBe(again.planned);
  });

  it("never shows a negative rate, as after a restart of the counters", () => {
    const state = after(network(1000, [moved(9000)]), network(2000, [moved(10)]));
    expect(state.histories["web1"]?.at(-1)?.rateFrom).toBe(0);
  });

  it("keeps histories bounded", () => {
    const state = after(...Array.from({ length: MAX_SAMPLES + 50 }, (_, index) => network(1000 + index * 1000, [moved(index)])));
    expect(state.histories["web1"]).toHaveLength(MAX_SAMPLES);
    expect(state.histories["web1"]?.at(-1)?.atMs).toBe(1000 + (MAX_SAMPLES + 49) * 1000);
  });

  it("takes no second sample of one moment", () => {
    expect(after(network(1000, [moved(0)]), network(1000, [moved(9)])).histories["web1"]).toHaveLength(1);
  });

  it("forgets the log and the histories of an earlier run, although name and process are the same", () => {
    const state = reduceAll(after(network(9000, [moved(0)])), [
      { kind: "line", line: line(7) },
      { kind: "network", network: network(100, [moved(0)]) },
      { kind: "line", line: line(1) },
    ]);
    expect(state.lines.map((each) => each.seq)).toEqual([1]);
    expect(state.histories["web1"]).toHaveLength(1);
  });

  it("wants a new plan when it has other hosts, and not otherwise", () => {
    const first = after(network(1000, [host("a")]));
    const same = reduce(first, { kind: "network", network: network(2000, [host("a")]) });
    const other = reduce(same, { kind: "network", network: network(3000, [host("b")]) });
    expect(same.planned).toBe(first.planned);
    expect(other.planned).toBe(same.planned + 1);
    expect(other.histories["a"]).toBeUndefined();
  });

  it("keeps the log when it ends, since that says why", () => {
    const state = reduceAll(after(network(1000, [host("a")])), [{ kind: "line", line: line(1) }, { kind: "ended" }]);
    expect(state.network).toBeNull();
    expect(state.hosts).toEqual([]);
    expect(state.lines).toHaveLength(1);
  });
});

describe("a host", () => {
  it("is replaced by its news, but its traffic is that of the last look", () => {
    const state = reduce(after(network(1000, [moved(500)])), {
      kind: "host",
      host: { ...moved(900), state: "waiting", sinceMs: 1500 },
    });
    expect(state.hosts[0]?.state).toBe("waiting");
    expect(state.hosts[0]?.traffic.bytesFrom).toBe(500);
    expect(state.network?.nowMs).toBe(1500);
  });

  it("that the network does not have is no news", () => {
    const state = after(network(1000, [host("a")]));
    expect(reduce(state, { kind: "host", host: host("b") })).toBe(state);
    expect(reduce(nothing, { kind: "host", host: host("b") })).toBe(nothing);
  });
});

describe("the log", () => {
  it("takes a line that is told twice once", () => {
    const state = reduceAll(nothing, [1, 2, 2, 1, 3].map((seq) => ({ kind: "line", line: line(seq) })));
    expect(state.lines.map((each) => each.seq)).toEqual([1, 2, 3]);
  });

  it("is bounded, and keeps the newest", () => {
    const all = Array.from({ length: MAX_LINES + 10 }, (_, index) => ({ kind: "line" as const, line: line(index + 1) }));
    const state = reduceAll(nothing, all);
    expect(state.lines).toHaveLength(MAX_LINES);
    expect(state.lines[0]?.seq).toBe(11);
  });

  it("wants a new plan after a reload", () => {
    const state = reduce(nothing, { kind: "line", line: { seq: 1, timeMs: 0, sentence: "", type: "reloaded", changes: ["added db"], grants: [] } });
    expect(state.planned).toBe(1);
  });

  it("outlives its network, until the next one says something", () => {
    const over = reduceAll(after(network(1000, [host("a")])), [{ kind: "line", line: line(7) }, { kind: "ended" }]);
    expect(over.lines.map((each) => each.seq)).toEqual([7]);
    // In the next run, line numbers begin again, and the first lines may arrive before the network itself.
    const next = reduceAll(over, [
      { kind: "line", line: line(1) },
      { kind: "network", network: network(10, [host("a")], { pid: 2 }) },
      { kind: "line", line: line(2) },
    ]);
    expect(next.lines.map((each) => each.seq)).toEqual([1, 2]);
    const silent = reduce(over, { kind: "network", network: network(10, [host("a")], { pid: 2 }) });
    expect(silent.lines).toEqual([]);
  });
});

describe("the app", () => {
  const app = { manifest: "/a.yaml", network: null } as unknown as App;

  it("that shows no network any more ends what was shown", () => {
    const state = reduce(after(network(1000, [host("a")])), { kind: "app", app });
    expect(state.network).toBeNull();
  });

  it("with another file forgets the text of the one before", () => {
    const manifest = { path: "/a.yaml", text: "", hash: "1", editable: true };
    const open = reduceAll(nothing, [{ kind: "app", app }, { kind: "manifest", manifest }]);
    expect(open.manifest).toBe(manifest);
    expect(reduce(open, { kind: "app", app: { ...app, running: ["b"] } }).manifest).toBe(manifest);
    expect(reduce(open, { kind: "app", app: { ...app, manifest: "/b.yaml" } }).manifest).toBeNull();
  });
});

/**
 * News as the app sends them, and the app's state afterwards. The test in `src-tauri/src/golden.rs` writes the file.
 */
type Batch = {
  about: string;
  news: News[];
  then: { app: App; network: NetworkView | null; lines: LogLine[]; manifest: ManifestText | null };
};

describe("the batches that Rust has written", () => {
  const batches = JSON.parse(golden) as Batch[];
  /** The state of the page, in the form that the app's state has in the file. */
  const known = ({ app, network, hosts, lines, manifest }: State): Batch["then"] => ({
    app: app as App,
    network: network === null ? null : { ...network, hosts },
    lines,
    manifest,
  });

  it("have news of every kind", () => {
    const kinds = new Set(batches.flatMap((batch) => batch.news.map((news) => news.kind)));
    expect([...kinds].sort()).toEqual(["app", "ended", "host", "line", "manifest", "missed", "network"]);
  });

  it("are folded into what Rust knows, after each of them", () => {
    let state = nothing;
    for (const { about, news, then } of batches) {
      state = reduceAll(state, news);
      expect(known(state), about).toEqual(then);
    }
    expect(batches.length).toBeGreaterThan(10);
  });

  it("are folded one by one into the same", () => {
    const state = batches.flatMap((batch) => batch.news).reduce(reduce, nothing);
    expect(known(state)).toEqual(batches.at(-1)?.then);
  });
});

it("news of an unknown kind changes nothing", () => {
  expect(reduce(nothing, { kind: "weather" } as never)).toBe(nothing);
});

it("a host that was stopped on purpose is not missing", () => {
  const hosts = [host("a"), host("b", { state: "stopped" }), host("c", { state: "refused" })];
  expect(tally(hosts)).toEqual({ up: 1, meant: 2, attention: 1 });
});

it("a flow is counted once, although both of its hosts count it", () => {
  const open = (flows: number) => host("a", { traffic: { ...host("a").traffic, flows } });
  expect(openFlows([open(3), open(2), open(1)])).toBe(3);
  // The number of flows at one end may arrive a moment earlier than the number at the other end.
  expect(openFlows([open(1), open(0)])).toBe(1);
  expect(openFlows([])).toBe(0);
});

it("states are called and judged as by the program", () => {
  const table = (JSON.parse(words) as { states: { state: HostState; word: string; isUp: boolean; needsAttention: boolean }[] }).states;
  expect(table.map((row) => row.state).sort()).toEqual(Object.keys(states.word).sort());
  for (const row of table) {
    const there = host("web1", { state: row.state });
    expect({ state: row.state, word: states.word[row.state], isUp: isUp(there), needsAttention: needsAttention(there) }).toEqual(row);
  }
});
