// The log: lines from before the page was opened, and lines since then. With `/?log=5000`, there are that many lines.
// `mockLog.say(text)` in the browser's console adds a line.
import type { Event } from "../lib/types/Event";
import type { LogLine } from "../lib/types/LogLine";
import { Chance } from "./chance";
import { WHY } from "./scenes";
import { sentence } from "./sentence";
import type { World } from "./world";

export type MockLog = { say: (text: string) => void; lose: (count: number) => void };

const SAID = [
  "debug1: client_input_channel_req: channel 0 rtype keepalive@openssh.com reply 1",
  "Warning: Permanently added 'web1.example.com' (ED25519) to the list of known hosts.",
  "dialled 127.0.0.1:80 in 0.4 ms",
  "dialled 127.0.0.1:5432 in 1.2 ms",
  "Error: connect to prometheus:9090: connection refused",
  "the resolver 10.20.0.2 did not answer within 2 s; the next one is asked",
  "debug1: Remote: /home/deploy/.ssh/authorized_keys:3: key options: agent-forwarding port-forwarding pty user-rc x11-forwarding",
  "debug2: channel 0: window 1998848 sent adjust 98304",
  "E1123 09:12:44.310982   71234 portforward.go:413] an error occurred forwarding: error forwarding port 9090 to pod, uid : exit status 1: the container runtime has no such port; look at the ports of the pod with kubectl describe",
];

export function fillLog(world: World): void {
  const chance = new Chance(23);
  const wanted = Number(new URLSearchParams(location.search).get("log") ?? 180);
  const now = world.lines.at(-1)?.timeMs ?? world.epochMs;
  const past: Event[] = [];
  for (let n = 0; n < wanted && world.hosts.length > 0; n += 1) {
    past.push(said(world, chance));
  }
  const step = 3_600_000 / Math.max(1, past.length);
  const lines = [
    ...past.map((event, at) => ({ timeMs: Math.round(now - (past.length - at) * step * chance.between(0.98, 1)), sentence: sentence(event), ...event })),
    ...world.lines,
  ];
  // A few lines are missing, so that the page has to show a gap.
  const gap = Math.floor(past.length / 3);
  world.lines = lines.map((line, at) => ({ ...line, seq: at + 1 + (at > gap && gap > 0 ? 12 : 0) }) as LogLine);
  if (!world.still) {
    setInterval(() => world.hosts.length > 0 && world.log(said(world, chance)), 1700);
  }
  const mock: MockLog = {
    say: (line) => world.log({ type: "stderr", host: "web1", vip: "127.0.42.101", line }),
    lose: (count) => {
      const last = world.lines.at(-1);
      if (last !== undefined) {
        world.lines = [...world.lines.slice(0, -1), { ...last, seq: last.seq + count }];
      }
    },
  };
  Object.assign(window, { mockLog: mock });
}

function said(world: World, chance: Chance): Event {
  const host = chance.pick(world.hosts);
  const about = { host: host.name, vip: host.vip };
  const what = chance.next();
  if (what < 0.04) {
    return { type: "warning", ...about, text: "its command wrote this before the agent started, which was skipped: Last login: Mon Nov 23 08:12:01 from 192.0.2.14" };
  }
  if (what < 0.045) {
    return { type: "refused", ...about, times: 3, targets: 1, most: [{ to: "db:5432", times: 3, by: "rule 2 of the policy (line 32)" }], text: "was refused 3 connections by the policy: db:5432 3 times by rule 2 of the policy (line 32)" };
  }
  if (what < 0.06) {
    return { type: "reloaded", changes: ["gke (127.0.42.106): restarted with its new command"], grants: [] };
  }
  if (what < 0.1) {
    return { type: "host", ...about, state: "waiting", reason: WHY.waiting?.reason, retry: { attempt: 1, atMs: 0, pauseMs: 2_000 } };
  }
  if (what < 0.14) {
    return { type: "host", ...about, state: "ready" };
  }
  return { type: "stderr", ...about, line: chance.pick(SAID) };
}
