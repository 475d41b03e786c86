// The networks that the mock simulates. Each has a plan, and hosts with their first states.
import type { HostState } from "../lib/types/HostState";
import type { HostView } from "../lib/types/HostView";
import type { InstallView } from "../lib/types/InstallView";
import type { MatrixCell } from "../lib/types/MatrixCell";
import type { PlanHost } from "../lib/types/PlanHost";
import type { PlanPolicy } from "../lib/types/PlanPolicy";
import type { PlanRoute } from "../lib/types/PlanRoute";
import type { Trouble } from "../lib/types/Trouble";
import { AGENT_SIZE } from "./install";
import { troubled } from "./trouble";

/** A host of a scene, with its part of the plan, its first state and its behaviour. */
export type Actor = {
  plan: PlanHost;
  state: HostState;
  /** How long the host's agent takes to answer, in milliseconds, and the host's traffic, in kilobytes per second. */
  latencyMs: number;
  busyKb: number;
  /** The jump hosts to the host, as OpenSSH tells them. */
  jumps?: string;
  extra?: Partial<HostView>;
};

export type Scene = { name: string; file: string; actors: Actor[]; routes: PlanRoute[]; policy?: PlanPolicy };

export function planned(name: string, last: number, command: string, more: Partial<PlanHost> = {}): PlanHost {
  return {
    name,
    vip: `127.0.42.${last}`,
    aliases: [],
    command: command === "" ? [] : command.split(" "),
    publishes: [],
    gateway: false,
    loopback: true,
    ...more,
  };
}

const IN_USE: Trouble = {
  code: "listen",
  what: "cannot listen on 127.0.42.101:8080: address already in use by another program on that machine",
  remedy: 'find it there with: ss -ltunp "sport = :8080", and end it, and the agent listens within a few seconds, or choose another port in the manifest',
  address: "127.0.42.101:8080",
};

const office: Scene = {
  name: "office",
  file: "/home/ada/networks/office.yaml",
  routes: [
    { to: ["10.20.0.0/16", "*.corp.example"], notTo: ["10.20.99.0/24"], via: "bastion" },
    { to: ["*.svc.cluster.local"], notTo: [], via: "gke" },
  ],
  actors: [
    {
      plan: planned("laptop", 100, "", {
        publishes: [{ port: 3000, target: "127.0.0.1:3000" }],
        http: "127.0.0.1:18080",
        socks: "127.0.0.1:18081",
        dns: "127.0.0.1:18053",
      }),
      state: "ready",
      latencyMs: 0.06,
      busyKb: 900,
    },
    {
      plan: planned("web1", 101, "ssh -o ServerAliveInterval=15 deploy@web1.example.com -- norouter agent --automated", {
        aliases: ["shop.local", "api.local"],
        publishes: [
          { port: 8080, target: "127.0.0.1:80" },
          { port: 8443, target: "127.0.0.1:443" },
        ],
      }),
      state: "ready",
      latencyMs: 12,
      busyKb: 640,
    },
    {
      plan: planned("db", 102, "ssh db.example.com -- norouter agent --automated", {
        publishes: [
          { port: 5432, target: "127.0.0.1:5432" },
          { port: 6379, target: "127.0.0.1:6379" },
          { port: 9187, target: "127.0.0.1:9187" },
        ],
      }),
      state: "degraded",
      latencyMs: 14,
      busyKb: 2400,
      jumps: "gate.example.com",
      extra: troubled(IN_USE),
    },
    {
      plan: planned("container", 103, "podman exec -i web norouter agent --automated", {
        publishes: [{ port: 8081, target: "127.0.0.1:80" }],
      }),
      state: "waiting",
      latencyMs: 1.1,
      busyKb: 20,
      extra: {
        ...troubled({
          code: "exited",
          what: 'Error: no container with name or ID "web" found: no such container (status 125)',
          remedy: "start the container, or correct its name in cmd",
          status: 125,
          cause: "noContainer",
        }),
        retry: { attempt: 4, atMs: 0, pauseMs: 16_000 },
        stderr: ['Error: no container with name or ID "web" found: no such container'],
      },
    },
    {
      plan: planned("build", 104, "ssh build.example.com -- norouter agent --automated", {
        publishes: [{ port: 22, target: "127.0.0.1:22" }],
      }),
      state: "needsYou",
      latencyMs: 30,
      busyKb: 10,
      extra: {
        ...troubled({ code: "asks", what: "its command asks: The authenticity of host 'build.example.com (203.0.113.20)' can't be established." }),
        prompts: [
          {
            id: 1,
            kind: "confirm",
            text: "The authenticity of host 'build.example.com (203.0.113.20)' can't be established.\nED25519 key fingerprint is SHA256:2mK9xG1uVd0cG0n0bQ8yqH6Zr3fXkq3T1oW5eYp7uZs.\nAre you sure you want to continue connecting?",
          },
        ],
      },
    },
    {
      plan: planned("bastion", 105, "ssh -J jump.example.com ops@bastion.internal -- norouter agent --automated", { gateway: true }),
      state: "ready",
      latencyMs: 41,
      busyKb: 310,
    },
    {
      plan: planned("gke", 106, "kubectl --context=staging exec -i deploy/api -- norouter agent --automated", {
        gateway: true,
        publishes: [{ port: 9090, target: "prometheus:9090" }],
      }),
      state: "ready",
      latencyMs: 88,
      busyKb: 1200,
    },
  ],
};

/** Troubles of hosts that are not ready, in the manager's words. */
export const WHY: Partial<Record<HostState, Partial<HostView>>> = {
  degraded: troubled({
    code: "listen",
    what: "cannot listen on 127.0.42.103:80: permission denied: on that machine, ports below 1024 need the capability CAP_NET_BIND_SERVICE, which root usually has",
    remedy: "use a port of 1024 or more; or, as root there, give the program the capability (setcap cap_net_bind_service=+ep PATH), or open these ports to every user (sysctl net.ipv4.ip_unprivileged_port_start=80)",
    address: "127.0.42.103:80",
  }),
  waiting: troubled({
    code: "silent",
    what: "its agent has not answered for 8 s, though its command still runs: the host or the connection to it may be down",
    remedy: "check whether the host is up",
  }),
  refused: troubled({
    code: "lacks",
    what: 'its agent (version 0.6.5) cannot do "loopback.disable", which this manifest depends on',
    remedy: "install a newer one on that host",
  }),
};

const MANY_STATES: HostState[] = ["ready", "ready", "ready", "ready", "ready", "ready", "degraded", "waiting", "greeting", "refused", "stopped"];

/** Forty hosts with names of all lengths, to test layouts. */
function many(): Scene {
  const actors = Array.from({ length: 40 }, (_, index): Actor => {
    const long = index % 9 === 4;
    const name = long ? `node-${index}-with-a-rather-long-name.eu-central-1.compute.example.internal` : `node-${index}`;
    const state = MANY_STATES[(index * 7) % MANY_STATES.length] as HostState;
    const ports = Array.from({ length: (index * 5) % 8 }, (_, port) => ({ port: 9000 + port, target: `127.0.0.1:${9000 + port}` }));
    return {
      plan: planned(name, 100 + index, `ssh node-${index} -- norouter agent --automated`, { publishes: ports, gateway: index === 7 }),
      state,
      latencyMs: 2 + ((index * 13) % 90),
      busyKb: (index * 37) % 900,
      extra: WHY[state] ?? {},
    };
  });
  return {
    name: "fleet",
    file: "/srv/networks/fleet.yaml",
    actors,
    routes: [{ to: Array.from({ length: 9 }, (_, index) => `10.${index}.0.0/16`), notTo: [], via: "node-7" }],
  };
}

/** A scene with a prompt and a held command, for the pages that ask a person. */
function asking(): Scene {
  const [laptop, web1, db] = office.actors as [Actor, Actor, Actor];
  return {
    ...office,
    routes: [],
    actors: [
      laptop,
      {
        ...web1,
        state: "needsYou",
        extra: {
          ...troubled({ code: "asks", what: "its command asks: deploy@web1.example.com's password:" }),
          prompts: [{ id: 7, kind: "secret", text: "deploy@web1.example.com's password:" }],
        },
      },
      {
        ...db,
        state: "needsYou",
        extra: {
          ...troubled({
            code: "approval",
            what: "its command is new and waits for your approval: ssh -p 2222 db.example.com -- norouter agent --automated",
          }),
          held: { number: 1, command: ["ssh", "-p", "2222", "db.example.com", "--", "norouter", "agent", "--automated"], previous: db.plan.command },
        },
      },
    ],
  };
}

/** A scene with a host whose command wants its user to log in with a browser. */
function login(): Scene {
  const [laptop, web1] = office.actors as [Actor, Actor];
  const line = "To authenticate, visit: https://login.example.com/a/1f2e3d?from=web1.";
  return {
    ...office,
    routes: [],
    actors: [laptop, { ...web1, state: "waiting", extra: { ...troubled({ code: "exited", what: `${line} (status 1)`, status: 1 }), stderr: ["Welcome to https://example.com/", line] } }],
  };
}

/** A scene in which the files for programs could not be written on two hosts: on this machine, and on another one. */
function noted(): Scene {
  const note = (folder: string) =>
    `cannot write the files for programs of this host: cannot make the folder ${folder}: permission denied; choose another with stateDir.pathOnAgent; it is tried again every 30 s, and until then "norouter env" and "norouter exec" do not work there`;
  const [laptop, web1, ...others] = office.actors as [Actor, Actor, ...Actor[]];
  const lacks = (actor: Actor, folder: string): Actor => ({ ...actor, extra: { ...actor.extra, notes: [note(folder)] } });
  return { ...office, actors: [lacks(laptop, "/home/ada/.norouter"), lacks(web1, "/home/deploy/.norouter"), ...others] };
}

/** A scene in which an agent is sent to a host that has only a shell. */
function installs(): Scene {
  const [laptop, web1, ...others] = office.actors as [Actor, Actor, ...Actor[]];
  const install: InstallView = { step: "upload", kept: 620_000, size: AGENT_SIZE, perSecond: 150_000 };
  return { ...office, actors: [laptop, { ...web1, state: "greeting", extra: { install } }, ...others] };
}

/** A network with a policy of two rules: the laptop may reach everything, and the other hosts only the database. */
function ruled(): Scene {
  const hosts = office.actors.map((actor) => actor.plan);
  const targets = [
    ...hosts.map((host) => ({ name: host.name, ports: host.publishes.map((port) => port.port) })),
    ...office.routes.flatMap((route) => route.to.map((name) => ({ name, via: route.via }))),
  ];
  const cell = (from: string, target: (typeof targets)[number]): MatrixCell => {
    if (target.name === from || ("via" in target && target.via === from)) {
      return { reach: "own" };
    }
    if ("ports" in target && target.ports.length === 0) {
      return { reach: "nothing" };
    }
    if (from === "laptop") {
      return { reach: "all" };
    }
    if (target.name === "db") {
      return { reach: "part", ports: "5432" };
    }
    return from === "build" && "via" in target ? { reach: "none", refusedBy: [2] } : { reach: "none" };
  };
  return {
    ...office,
    policy: {
      default: "deny",
      rules: [
        { number: 1, line: 31, from: ["laptop"], to: ["*"], ports: "", action: "allow" },
        { number: 2, line: 32, from: ["build"], to: ["*"], via: ["bastion", "gke"], ports: "", action: "deny" },
        { number: 3, line: 33, from: ["*"], to: ["db"], ports: "5432", action: "allow" },
      ],
      targets,
      rows: hosts.map((host) => ({ from: host.name, cells: targets.map((target) => cell(host.name, target)) })),
    },
  };
}

export function scene(name: string): Scene {
  switch (name) {
    case "noted":
      return noted();
    case "installs":
      return installs();
    case "ruled":
      return ruled();
    case "many":
      return many();
    case "login":
      return login();
    case "asking":
      return asking();
    case "empty":
      return { ...office, actors: [], routes: [] };
    default:
      return office;
  }
}
