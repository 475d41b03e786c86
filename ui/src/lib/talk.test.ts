import { describe, expect, it } from "vitest";

import { begin, follow, notSent, sent, type Talk } from "./talk";
import type { HostState } from "./types/HostState";
import type { HostView } from "./types/HostView";
import type { PromptView } from "./types/PromptView";

const secret = (id: number, text = "Password:"): PromptView => ({ id, kind: "secret", text });

function host(state: HostState, ...prompts: PromptView[]): HostView {
  return { name: "vault", vip: "127.0.42.107", state, prompts } as unknown as HostView;
}

/** The steps of a talk, after each of these states of its host in turn. */
function steps(talk: Talk, hosts: (HostView | undefined)[], isEmpty = true): [string, string | null][] {
  return hosts.map((one) => {
    talk = follow(talk, one, isEmpty);
    return [talk.step, talk.note];
  });
}

describe("a question that was answered", () => {
  const talk = sent(begin("vault", secret(7)));

  it("waits for the host, and is accepted when its agent is heard of", () => {
    const told = [host("needsYou", secret(7)), host("greeting"), host("configuring"), host("ready")];
    expect(steps(talk, told)).toEqual([["sent", null], ["sent", null], ["over", "accepted"], ["over", "accepted"]]);
  });

  it("was not accepted if the same question comes back, which counts", () => {
    const again = follow(talk, host("needsYou", secret(8)), true);
    expect([again.step, again.note, again.refusals, again.prompt.id]).toEqual(["asking", "refused", 1, 8]);
    const third = follow(sent(again), host("needsYou", secret(9)), true);
    expect([third.note, third.refusals]).toEqual(["refused", 2]);
  });

  it("was not refused if the connection was lost before the question came back", () => {
    expect(steps(talk, [host("greeting"), host("waiting"), host("starting"), host("needsYou", secret(8))])).toEqual([
      ["sent", null],
      ["sent", "lost"],
      ["sent", "lost"],
      ["asking", "again"],
    ]);
  });

  it("leads to the next question of the host, unless the person types", () => {
    const next = host("needsYou", secret(8, "Another password:"));
    expect(follow(talk, next, true)).toMatchObject({ step: "asking", note: "more", prompt: { id: 8 } });
    expect(follow(talk, next, false)).toMatchObject({ step: "over", note: "another", prompt: { id: 7 }, next: { id: 8 } });
  });

  it("is open again if the answer could not be sent", () => {
    expect(notSent(talk)).toMatchObject({ step: "asking" });
  });
});

describe("a question that goes away while it is read", () => {
  const talk = begin("vault", secret(7));

  it("says what has become of it, and goes on when it is asked again", () => {
    expect(steps(talk, [host("greeting"), host("waiting"), host("starting"), host("needsYou", secret(8))])).toEqual([
      ["over", "gone"],
      ["over", "lost"],
      ["over", "lost"],
      ["asking", "again"],
    ]);
    expect(steps(talk, [host("greeting"), host("ready")])).toEqual([["over", "gone"], ["over", "elsewhere"]]);
    expect(steps(talk, [host("refused")])).toEqual([["over", "failed"]]);
    expect(steps(talk, [undefined])).toEqual([["over", "ended"]]);
  });

  it("is never replaced by another question, which might get the beginning of a secret", () => {
    const next = host("needsYou", secret(8, "Another password:"));
    for (const isEmpty of [true, false]) {
      expect(follow(talk, next, isEmpty)).toMatchObject({ step: "over", note: "another", prompt: { id: 7 }, next: { id: 8 } });
    }
  });

  it("does not change while the host says nothing new", () => {
    const over = follow(talk, host("waiting"), true);
    expect(follow(over, host("waiting"), true)).toBe(over);
    expect(follow(talk, host("needsYou", secret(7)), true)).toBe(talk);
  });
});
