// A simulated test of a host. The address of the page selects the outcome: `?test=password`, `?test=key`, or a member.
import type { HostTest } from "../lib/types/HostTest";
import type { TrialNews } from "../lib/types/TrialNews";
import type { TrialStep } from "../lib/types/TrialStep";
import type { Commands } from "./commands";
import { hostsOf } from "./manifest";

const DIGEST = "sha256:7e57";
const PAUSE_MS = 40;

type Running = { send: (news: TrialNews) => void; rest: (() => void)[] };

export function hostTestCommands(): Commands {
  const kind = new URLSearchParams(location.search).get("test");
  const running = new Map<number, Running>();
  const agreed = new Set<string>();
  let last = 0;

  const step = (name: TrialStep, text: string, atMs: number, tookMs: number): TrialNews => ({ type: "step", step: name, text, atMs, tookMs });

  function play(id: number, news: TrialNews[]): void {
    const [first, ...rest] = news;
    const test = running.get(id);
    if (first === undefined || test === undefined) {
      return;
    }
    test.send(first);
    if (first.type === "over") {
      running.delete(id);
    } else if (first.type === "asks" && first.prompts.length > 0) {
      test.rest = [() => play(id, rest)];
    } else {
      setTimeout(() => play(id, rest), PAUSE_MS);
    }
  }

  const way: TrialNews[] = [
    step("program", '"ssh" was found at /usr/bin/ssh, and runs', 3, 3),
    step("connected", "connected to web1 [192.0.2.7] port 22", 41, 38),
    step("hostKey", "the host key of web1 is the known one (ED25519)", 58, 17),
  ];
  const member: TrialNews[] = [
    step("loggedIn", "web1 has accepted the login (publickey)", 96, 38),
    step("shell", "its shell has answered", 180, 84),
    { type: "install", install: { step: "upload", kept: 1_200_000, size: 4_100_000 } },
    step("sent", "an agent was sent, 4.1 MB", 960, 780),
    step("checked", "the agent was checked there", 1010, 50),
    step("answered", "its first output has arrived", 1042, 12),
    step("agent", "its agent has answered, version 0.7.0", 1050, 8),
    step("features", "the agent can do: tcp, loopback, http, socks, dns", 1050, 0),
    { type: "over", outcome: "member", atMs: 1050, version: "0.7.0", said: [] },
  ];
  const line = "ann@web1: Permission denied (publickey).";
  const denied: TrialNews[] = [
    { type: "said", line },
    {
      type: "over",
      outcome: "failed",
      atMs: 120,
      said: [line],
      trouble: { code: "exited", what: `${line} (status 255)`, remedy: "add your key to the agent: ssh-add", status: 255, said: line, cause: "login" },
    },
  ];
  const asks: TrialNews[] = [{ type: "asks", prompts: [{ id: 1, kind: "secret", text: "ann@web1's password: " }] }, { type: "asks", prompts: [] }];

  return {
    test_host: ({ text, host, digest, channel }): HostTest => {
      const name = String(host);
      const block = hostsOf(String(text)).get(name);
      if (block === undefined) {
        throw `the manifest has no host ${name}`;
      }
      const command = ["ssh", name, "--", "norouter", "agent", "--automated"];
      if (digest === DIGEST) {
        agreed.add(name);
      }
      if (!agreed.has(name)) {
        const change = { host: name, vip: "127.0.42.101", command, previous: null, change: "new" as const };
        return { kind: "asks", consent: { digest: DIGEST, command: change, grants: [`${name} gets an agent through its shell`], doubts: [] } };
      }
      last += 1;
      const id = last;
      const send = (news: TrialNews) => (channel as { onmessage: (news: TrialNews) => void }).onmessage(news);
      running.set(id, { send, rest: [] });
      const news = kind === "key" ? [...way, ...denied] : kind === "password" ? [...way, ...asks, ...member] : [...way, ...member];
      setTimeout(() => play(id, news), PAUSE_MS);
      return { kind: "begun", id };
    },
    test_answer: ({ id, text }) => {
      const test = running.get(Number(id));
      if (test === undefined) {
        throw "this test is over";
      }
      if (text === null) {
        test.send({ type: "over", outcome: "failed", atMs: 200, said: [], trouble: { code: "unanswered", what: "nobody has answered: ann@web1's password:" } });
        running.delete(Number(id));
      } else {
        for (const go of test.rest) {
          go();
        }
      }
    },
    test_end: ({ id }) => {
      running.get(Number(id))?.send({ type: "over", outcome: "ended", atMs: 100, said: [] });
      running.delete(Number(id));
    },
  };
}
