import { describe, expect, it } from "vitest";
import { came, FOLLOWING, hits, Log, NO_FILTER, nextHit, pieces, scrolled, searchFor, wrapped } from "./log";
import { asText, levelOf } from "./logText";
import type { Event } from "./types/Event";
import type { LogLine } from "./types/LogLine";

const VIP = "127.0.42.101";

function line(seq: number, event: Event = said("web1", `line ${seq}`), sentence = event.type === "stderr" ? event.line : event.type): LogLine {
  return { seq, timeMs: 1_700_000_000_000 + seq, sentence, ...event };
}

function said(host: string, text: string): Event {
  return { type: "stderr", host, vip: VIP, line: text };
}

function texts(log: Log): string[] {
  return log.shown.map((entry) => (entry.kind === "line" ? entry.text : `(${entry.count})`));
}

describe("lines that come", () => {
  it("are taken once, however often they are given", () => {
    const log = new Log();
    const one = [line(1), line(2)];
    expect(log.take(one)).toBe(2);
    expect(log.take(one)).toBe(0);
    expect(log.take([...one, line(3)])).toBe(1);
    expect(texts(log)).toEqual(["line 1", "line 2", "line 3"]);
    expect(log.longest).toBe(6);
  });

  it("leave a mark where some are missing, also in front", () => {
    const log = new Log();
    log.take([line(4), line(5), line(9)]);
    expect(texts(log)).toEqual(["(3)", "line 4", "line 5", "(3)", "line 9"]);
    expect(log.total).toBe(3);
  });

  it("of another run take the place of the old ones", () => {
    const log = new Log();
    log.take([line(1), line(2)]);
    log.take([line(1, said("db", "hello"))]);
    expect(texts(log)).toEqual(["hello"]);
    log.take([line(1, said("db", "again")), line(2, said("db", "more"))]);
    expect(texts(log)).toEqual(["again", "more"]);
    expect(log.hosts).toEqual(["db"]);
  });

  it("push out the oldest when there are too many", () => {
    const log = new Log(100);
    const all = Array.from({ length: 111 }, (_, at) => line(at + 1));
    log.take(all.slice(0, 50));
    log.take(all);
    expect(log.shown).toHaveLength(100);
    expect(log.total).toBe(100);
    expect(texts(log)[0]).toBe("line 12");
  });
});

describe("what is shown", () => {
  const lines = [
    line(1, { type: "host", host: "web1", vip: VIP, state: "ready" }, "is ready"),
    line(2, said("web1", "Warning: permanently added")),
    line(3, { type: "warning", host: "db", vip: VIP, text: "cannot listen" }, "cannot listen"),
    line(4, { type: "host", host: "db", vip: VIP, state: "refused", reason: "bad vip" }, "is refused: bad vip"),
    line(5, { type: "reloaded", changes: ["adds db", "restarts gke"], grants: [] }, "the manifest was reloaded: adds db; restarts gke"),
    line(6, { type: "hopeless", hosts: 2 }),
  ];
  const shown = (filter: Partial<typeof NO_FILTER>) => {
    const log = new Log();
    log.filter({ ...NO_FILTER, ...filter });
    log.take(lines);
    return log.shown.map((entry) => entry.seq);
  };

  it("is filtered by host, the manager being one, and by level", () => {
    expect(shown({})).toEqual([1, 2, 3, 4, 5, 6]);
    expect(shown({ host: "web1" })).toEqual([1, 2]);
    expect(shown({ host: "" })).toEqual([5, 6]);
    expect(shown({ level: "info" })).toEqual([1, 3, 4, 5, 6]);
    expect(shown({ level: "warning" })).toEqual([3, 4, 6]);
    expect(shown({ level: "error", host: "db" })).toEqual([4]);
  });

  it("is searched in context, or only what was found is shown", () => {
    const log = new Log();
    log.take(lines);
    log.filter({ ...NO_FILTER, search: /db|bad/giu });
    expect(log.shown).toHaveLength(6);
    expect(log.found).toEqual([3, 4]);
    log.filter({ ...NO_FILTER, search: /db|bad/giu, onlyHits: true });
    expect(log.shown.map((entry) => entry.seq)).toEqual([4, 5]);
    expect(log.found).toEqual([0, 1]);
  });

  it("is the same whether lines come before the filter or after it", () => {
    const filter = { ...NO_FILTER, search: /a/giu, level: "info" as const };
    const early = new Log();
    early.filter(filter);
    early.take(lines);
    const late = new Log();
    late.take(lines);
    late.filter(filter);
    expect(late.shown).toEqual(early.shown);
    expect(late.found).toEqual(early.found);
    expect(late.found.length).toBeGreaterThan(0);
  });

  it("is emptied by clearing, and comes back", () => {
    const log = new Log();
    log.take(lines.slice(0, 3));
    log.clear();
    expect(log.shown).toEqual([]);
    expect(log.take(lines)).toBe(3);
    expect(log.cleared).toBe(true);
    log.restore();
    expect(log.shown).toHaveLength(6);
    expect(log.cleared).toBe(false);
  });

  it("has the sentence that came with it, and a level", () => {
    const log = new Log();
    log.take(lines);
    expect(log.shown.map((entry) => (entry.kind === "line" ? [entry.level, entry.text] : []))).toEqual([
      ["info", "is ready"],
      ["output", "Warning: permanently added"],
      ["warning", "cannot listen"],
      ["error", "is refused: bad vip"],
      ["info", "the manifest was reloaded: adds db; restarts gke"],
      ["error", "hopeless"],
    ]);
    const waits = line(7, { type: "host", host: "a", vip: VIP, state: "waiting", retry: { attempt: 3, atMs: 0, pauseMs: 3_200 } });
    const held = line(8, { type: "held", grants: ["a has a proxy"] });
    const refused = line(9, { type: "refused", host: "ci", vip: VIP, times: 3, targets: 1, most: [], text: "was refused 3 connections" });
    expect([waits, held, refused].map(levelOf)).toEqual(["warning", "warning", "warning"]);
  });

  it("goes into a file with whole moments and what is missing", () => {
    const log = new Log();
    log.take([line(2, said("db", "x")), line(3, { type: "hopeless", hosts: 1 }, "the only host cannot run as it is")]);
    expect(asText(log.shown)).toBe(
      "-- 1 line skipped --\n" +
        "2023-11-14T22:13:20.002Z db output x\n" +
        "2023-11-14T22:13:20.003Z manager error the only host cannot run as it is\n",
    );
    expect(asText([])).toBe("");
  });
});

describe("search", () => {
  it("takes words as they stand, and expressions where asked", () => {
    const find = (text: string, regex: boolean, inside: string) => {
      const search = searchFor(text, regex);
      return search instanceof RegExp ? hits(search, inside) : search;
    };
    expect(find("a.c", false, "abc A.C")).toEqual([[4, 7]]);
    expect(find("a.c", true, "abc A.C")).toEqual([
      [0, 3],
      [4, 7],
    ]);
    expect(find("", true, "abc")).toBeNull();
    expect(find("x*", true, "abc")).toEqual([]);
    const exact = searchFor("A", false, true);
    expect(exact instanceof RegExp && hits(exact, "aA")).toEqual([[1, 2]]);
  });

  it("says what is wrong with an expression", () => {
    const search = searchFor("(", true);
    expect(search).toMatchObject({ problem: expect.stringMatching(/\w/) });
    expect(search).not.toMatchObject({ problem: expect.stringContaining("Invalid regular expression") });
  });

  it("cuts a line into what was found and the rest", () => {
    expect(pieces("abcabc", hits(/b/gu, "abcabc"))).toEqual(["a", "b", "ca", "b", "c"]);
    expect(pieces("abc", [])).toEqual(["abc"]);
  });

  it("goes from hit to hit, and round", () => {
    const found = [2, 5, 9];
    expect([nextHit(found, 2, false), nextHit(found, 9, false), nextHit(found, 5, true), nextHit(found, 2, true)]).toEqual([1, 0, 0, 2]);
    expect(nextHit([], 3, false)).toBe(-1);
  });
});

describe("following the end", () => {
  it("lets go on scrolling away, counts what comes, and holds again at the end", () => {
    expect(came(FOLLOWING, 3)).toBe(FOLLOWING);
    const away = scrolled(FOLLOWING, false);
    expect(came(came(away, 3), 2)).toEqual({ on: false, unseen: 5 });
    expect(scrolled(came(away, 3), false)).toEqual({ on: false, unseen: 3 });
    expect(scrolled(came(away, 3), true)).toBe(FOLLOWING);
  });

  it("does not change what has not changed", () => {
    expect(scrolled(FOLLOWING, true)).toBe(FOLLOWING);
    const away = scrolled(FOLLOWING, false);
    expect(came(away, 0)).toBe(away);
  });
});

it("a long line takes several rows", () => {
  expect([wrapped("", 80), wrapped("x".repeat(80), 80), wrapped("x".repeat(81), 80)]).toEqual([1, 1, 2]);
});

describe("repeated lines", () => {
  const folded = (log: Log) => log.shown.map((entry) => (entry.kind === "line" ? `${entry.text}${entry.times === undefined ? "" : ` x ${entry.times}`}` : "gap"));
  const log = (...said_: [string, string][]) => {
    const made = new Log();
    made.filter({ ...NO_FILTER, fold: true });
    made.take(said_.map(([host, text], at) => line(at + 1, said(host, text))));
    return made;
  };

  it("are shown once, with their number and the time of the last one", () => {
    const made = log(...Array.from({ length: 27 }, (): [string, string] => ["db", "refused"]));
    expect(folded(made)).toEqual(["refused x 27"]);
    expect(made.shown[0]).toMatchObject({ seq: 1, lastMs: 1_700_000_000_027 });
    expect(made.total).toBe(27);
  });

  it("are folded as blocks, and for each host by itself", () => {
    const one: [string, string][] = [["db", "a"], ["web", "a"], ["db", "b"], ["web", "c"]];
    expect(folded(log(...one, ...one, ...one, ["db", "a"]))).toEqual(["a x 3", "a x 3", "b x 3", "c x 3", "a"]);
  });

  it("are lines of output only if they are the same, while the numbers in a message of the manager may differ", () => {
    expect(folded(log(["db", "line 1"], ["db", "line 2"]))).toEqual(["line 1", "line 2"]);
    const made = new Log();
    made.filter({ ...NO_FILTER, fold: true });
    const lost = (seq: number, attempt: number) =>
      line(seq, { type: "host", host: "db", vip: VIP, state: "waiting", retry: { attempt, atMs: 0, pauseMs: 30_000 } }, `is retrying (attempt ${attempt})`);
    made.take([lost(1, 4), lost(2, 5), lost(3, 6)]);
    expect(folded(made)).toEqual(["is retrying (attempt 6) x 3"]);
  });

  it("keep the hits of a search in place", () => {
    const made = new Log();
    made.filter({ ...NO_FILTER, fold: true, search: /b/giu });
    made.take(["a", "b", "a", "b", "bc"].map((text, at) => line(at + 1, said("db", text))));
    expect(folded(made)).toEqual(["a x 2", "b x 2", "bc"]);
    expect(made.found).toEqual([1, 2]);
  });

  it("are all shown again when they are not folded any more, and a burst is kept", () => {
    const made = log(...Array.from({ length: 2000 }, (_, at): [string, string] => ["db", `debug1: line ${at}`]), ["db", "x"], ["db", "x"]);
    expect(made.shown).toHaveLength(2001);
    made.filter(NO_FILTER);
    expect(made.shown).toHaveLength(2002);
    expect(folded(made).at(-1)).toBe("x");
  });
});
