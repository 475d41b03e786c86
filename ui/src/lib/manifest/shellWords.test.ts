import { describe, expect, it } from "vitest";

import { Chance } from "../../mock/chance";
import { shellLine } from "../format";
import { splitWords } from "./shellWords";
import { sshParts, sshWords } from "./sshParts";

describe("a command as one text", () => {
  it("is split as a shell splits it", () => {
    expect(splitWords(`  ssh -o 'A b' "c \\"d" e\\ f '' g"h"i `)).toEqual(["ssh", "-o", "A b", 'c "d', "e f", "", "ghi"]);
    expect(splitWords("")).toEqual([]);
  });

  it("has no words if a quote is never closed", () => {
    expect([splitWords("a 'b"), splitWords('a "b'), splitWords("a\\"), splitWords('"a\\')]).toEqual([null, null, null, null]);
  });

  it("has the same words after it was joined, whatever they are", () => {
    const chance = new Chance(3);
    const letters = [..."ab -'\"\\$*~é😀", ""];
    for (let round = 0; round < 2_000; round += 1) {
      const words = Array.from({ length: Math.floor(chance.next() * 5) }, () => Array.from({ length: Math.floor(chance.next() * 5) }, () => chance.pick(letters)).join(""));
      expect(splitWords(shellLine(words))).toEqual(words);
    }
  });
});

describe("the parts of ssh", () => {
  it("are found in its words", () => {
    expect(sshParts(["-J", "gate", "-p", "2222", "-o", "User=x", "-A", "me@web1"])).toEqual({ user: "me", host: "web1", port: "2222", jump: "gate", options: ["-o", "User=x", "-A"] });
    expect(sshParts(["ssh://me@web1:22"])).toMatchObject({ user: "", host: "ssh://me@web1:22" });
    expect(sshParts([])).toBeNull();
    expect(sshParts(["-p", "22"])).toBeNull();
    expect(sshParts(["-A"])).toBeNull();
  });

  it("make the same words again, apart from the order", () => {
    for (const words of [["web1"], ["me@web1"], ["-J", "a,b", "-p", "22", "-i", "~/k", "web1"], ["-p", "1", "-p", "2", "web1"]]) {
      expect(sshWords(sshParts(words)!)).toEqual(words);
    }
  });
});
