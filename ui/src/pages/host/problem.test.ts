import { describe, expect, it } from "vitest";

import { parted } from "./problem";

/** Every kind of loss (`agent/link/loss.rs`) in the manager's words, with its cause and its remedy. */
const LOSSES: [string, string, string][] = [
  [
    "nothing has been heard of its agent for 10 s, though its command runs: the host, or the way to it, is gone or stands still; look whether the host is up",
    "nothing has been heard of its agent for 10 s, though its command runs: the host, or the way to it, is gone or stands still",
    "look whether the host is up",
  ],
  [
    "its agent has taken nothing for 10 s, though its command runs: the host, or the way to it, is gone or stands still; look whether the host is up",
    "its agent has taken nothing for 10 s, though its command runs: the host, or the way to it, is gone or stands still",
    "look whether the host is up",
  ],
  [
    'its command could not be started: "podman" is not in $PATH; install it, or write its path in cmd',
    'its command could not be started: "podman" is not in $PATH',
    "install it, or write its path in cmd",
  ],
  [
    "its command exited with status 127, usually: command not found on that host; install norouter there, or write its path in cmd",
    "its command exited with status 127, usually: command not found on that host",
    "install norouter there, or write its path in cmd",
  ],
  [
    'its command exited with status 126, usually: command not executable on that host; it wrote "sh: norouter: Permission denied"; install norouter there, or write its path in cmd',
    'its command exited with status 126, usually: command not executable on that host; it wrote "sh: norouter: Permission denied"',
    "install norouter there, or write its path in cmd",
  ],
  [
    "its command exited with status 255 after what it had asked was not answered; start the host to be asked again",
    "its command exited with status 255 after what it had asked was not answered",
    "start the host to be asked again",
  ],
  [
    "its command closed its output but did not end; run the command by hand and look what it waits for",
    "its command closed its output but did not end",
    "run the command by hand and look what it waits for",
  ],
  [
    "its command runs, but no agent has answered; run the command by hand and look whether it asks for something",
    "its command runs, but no agent has answered",
    "run the command by hand and look whether it asks for something",
  ],
  [
    'its command runs, but no agent has answered; it wrote "Welcome. Have a nice day; bye"; run the command by hand and look whether it asks for something',
    'its command runs, but no agent has answered; it wrote "Welcome. Have a nice day; bye"',
    "run the command by hand and look whether it asks for something",
  ],
  [
    "the way to the agent changes what it carries: a message has a wrong sum; use a command that keeps bytes as they are, as ssh does",
    "the way to the agent changes what it carries: a message has a wrong sum",
    "use a command that keeps bytes as they are, as ssh does",
  ],
  [
    'no frame within the first 64 KiB: something else than the agent writes to the command\'s output; it wrote "Last login: today"; take away what makes it a terminal, as -t does',
    'no frame within the first 64 KiB: something else than the agent writes to the command\'s output; it wrote "Last login: today"',
    "take away what makes it a terminal, as -t does",
  ],
  [
    "the stream is out of step: found [0d, 0a, 1b, 5b] where a frame should begin: something else than the agent writes to the command's output; take away what makes it a terminal, as -t does",
    "the stream is out of step: found [0d, 0a, 1b, 5b] where a frame should begin: something else than the agent writes to the command's output",
    "take away what makes it a terminal, as -t does",
  ],
  [
    "its agent misbehaves: more than 100 faults in 10 s, the last one a packet from an address that is not its own; install the version of this manager on that host",
    "its agent misbehaves: more than 100 faults in 10 s, the last one a packet from an address that is not its own",
    "install the version of this manager on that host",
  ],
  [
    "its agent refused its configuration: unknown field; change the manifest, or start the host again",
    "its agent refused its configuration: unknown field",
    "change the manifest, or start the host again",
  ],
  [
    'its agent (version 0.6.5) cannot do "loopback.disable", which this manifest depends on; install a newer one on that host',
    'its agent (version 0.6.5) cannot do "loopback.disable", which this manifest depends on',
    "install a newer one on that host",
  ],
];

describe("a reason", () => {
  it.each(LOSSES)("%s", (reason, what, fix) => {
    expect(parted(reason)).toEqual({ what, fix });
  });

  it.each([
    "stopped",
    "restarted",
    "its command exited with status 3",
    "its command was ended by signal 9",
    "its command ended",
    'its command exited with status 255; it wrote "Permission denied (publickey). Try again; or not"',
    'its command is new and waits for your approval: "ssh" "web1" "a; b"',
    "cannot listen on 127.0.42.101:80: address already in use: another program on that machine, perhaps another agent, has this port",
  ])("of which nothing is known that helps stays whole: %s", (reason) => {
    expect(parted(reason)).toEqual({ what: reason, fix: "" });
  });

  it.each([
    [
      "cannot listen on 127.0.42.101:80: permission denied: ports below 1024 need root there; publish a higher one",
      "cannot listen on 127.0.42.101:80: permission denied: ports below 1024 need root there",
      "publish a higher one",
    ],
    [
      "cannot write into the folder ~/.norouter/agent: cannot make the folder /srv/x: permission denied; choose another with stateDir.pathOnAgent",
      "cannot write into the folder ~/.norouter/agent: cannot make the folder /srv/x: permission denied",
      "choose another with stateDir.pathOnAgent",
    ],
    ["127.0.42.101:80 is in use by nginx. Stop it; or use 81.", "127.0.42.101:80 is in use by nginx.", "Stop it; or use 81."],
    ["the disk is full; make room. Then start it.", "the disk is full", "make room. Then start it."],
    ['a lonely " is no quote; take it away', 'a lonely " is no quote', "take it away"],
    ['it said "a \\" b; c"; do that', 'it said "a \\" b; c"', "do that"],
  ])("of an agent is parted as well: %s", (reason, what, fix) => {
    expect(parted(reason)).toEqual({ what, fix });
  });
});
