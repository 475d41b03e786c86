import { expect, it } from "vitest";

import { joined, lives } from "./lives";
import type { HostState } from "./types/HostState";
import type { LogLine } from "./types/LogLine";

let seq = 0;
const at = () => ({ seq: ++seq, timeMs: seq * 1000, sentence: "", host: "web1", vip: "127.0.42.101" });
const state = (is: HostState, reason?: string): LogLine => ({ ...at(), type: "host", state: is, reason });
const wrote = (line: string): LogLine => ({ ...at(), type: "stderr", line });

it("each start of the command begins a life, the newest first", () => {
  const told = lives([state("greeting"), state("ready"), wrote("killed"), state("waiting", "gone"), state("greeting"), state("ready")], "web1", 9);
  expect(told.map((life) => life.entries.map((entry) => entry.state))).toEqual([
    ["greeting", "ready"],
    ["greeting", "ready", "waiting"],
  ]);
  expect(told[1]?.stderr).toEqual(["killed"]);
});

it("a start and the greeting after it are one beginning", () => {
  expect(lives([state("starting"), state("greeting"), state("ready")], "web1", 9)).toHaveLength(1);
});

it("a command that asks, or says something before it connects, is in one life until it ends", () => {
  const life = [state("starting"), wrote("hello"), state("greeting"), state("needsYou", "password:"), state("greeting"), state("ready")];
  const told = lives([...life, state("waiting"), state("starting"), state("greeting")], "web1", 9);
  expect(told.map((one) => one.entries.length)).toEqual([2, 6]);
});

it("other hosts have no part in it, and only the last lives and lines are kept", () => {
  const other: LogLine = { ...at(), host: "db", type: "stderr", line: "no" };
  const lines = [other, state("greeting"), state("greeting"), ...Array.from({ length: 9 }, (_, index) => wrote(`${index}`))];
  const told = lives(lines, "web1", 1);
  expect(told).toHaveLength(1);
  expect(told[0]?.stderr).toEqual(["4", "5", "6", "7", "8"]);
});

it("two stretches of a log join without a line told twice", () => {
  const [a, b, c] = [wrote("a"), wrote("b"), wrote("c")];
  expect(joined([a, b], [b, c])).toEqual([a, b, c]);
  expect(joined([a], [])).toEqual([a]);
});
