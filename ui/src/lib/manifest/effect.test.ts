import { expect, it } from "vitest";
import { headline } from "./effect";
import type { EffectLine } from "../types/EffectLine";

function line(kind: EffectLine["kind"], host: string | null): EffectLine {
  return { kind, host, text: "t" };
}

it("the effect is one sentence", () => {
  const lines = [line("restart", "gke"), line("add", "db"), line("add", "cache"), line("restart", "gke"), line("reconfigure", null)];
  expect(headline({ lines, drops: 2, untouched: 5, commands: [], grants: [] })).toBe(
    "Adds db, cache; restarts gke; reconfigures the network: 2 connections interrupted, 5 hosts unaffected.",
  );
  expect(headline({ lines: [line("remove", "a")], drops: 0, untouched: 1, commands: [], grants: [] })).toBe("Removes a: no connections interrupted, 1 host unaffected.");
  expect(headline({ lines: [], drops: 0, untouched: 5, commands: [], grants: [] })).toBe("No changes");
});
