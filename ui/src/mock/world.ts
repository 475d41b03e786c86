// The state of the mock: a network that changes a little each second, and the pages that receive its news.
import type { App } from "../lib/types/App";
import type { Consent } from "../lib/types/Consent";
import type { ConsentHost } from "../lib/types/ConsentHost";
import type { Event } from "../lib/types/Event";
import type { HostState } from "../lib/types/HostState";
import type { HostView } from "../lib/types/HostView";
import type { InstallView } from "../lib/types/InstallView";
import type { LogLine } from "../lib/types/LogLine";
import type { NetworkView } from "../lib/types/NetworkView";
import type { News } from "../lib/types/News";
import type { PlanView } from "../lib/types/PlanView";
import type { Shown } from "../lib/types/Shown";
import { Chance } from "./chance";
import { fleet } from "./fleet";
import { later } from "./install";
import { scene, type Actor, type Scene } from "./scenes";
import { sentence } from "./sentence";

/** The manager's clock at the beginning: the network has run for a while. */
const BEGAN_MS = 4_520_000;
/** How many seconds of history the network has. */
const PAST = 90;

export class World {
  readonly scene: Scene;
  readonly chance = new Chance(7);
  app: App;
  hosts: HostView[] = [];
  lines: LogLine[] = [];
  nowMs = BEGAN_MS;
  /**
   * The moment of `BEGAN_MS`, in milliseconds since 1970. It is fixed, so that screenshots are the same in every run.
   */
  readonly epochMs = Date.UTC(2026, 10, 23, 9, 30, 0);
  #watchers: ((batch: News[]) => void)[] = [];
  readonly still: boolean;

  constructor(name: string, still: boolean) {
    this.scene = /^hosts-\d+$/.test(name) ? fleet(Number(name.slice(6))) : scene(name);
    this.still = still;
    this.app = firstApp(name, this.scene);
    if (this.app.network !== null) {
      this.begin();
    }
    if (!still) {
      setInterval(() => this.tick(), 1000);
    }
  }

  /** Sets the hosts to the first states of the scene. */
  begin(): void {
    this.hosts = this.scene.actors.map((actor) => this.#born(actor));
    for (const host of this.hosts) {
      this.log({ type: "host", host: host.name, vip: host.vip, state: "greeting" });
      for (const line of host.stderr) {
        this.log({ type: "stderr", host: host.name, vip: host.vip, line });
      }
      if (host.state !== "greeting") {
        this.log({ type: "host", host: host.name, vip: host.vip, state: host.state, reason: host.reason });
      }
    }
  }

  watch(hear: (batch: News[]) => void): void {
    this.#watchers.push(hear);
    const first: News[] = [{ kind: "app", app: this.app }];
    if (this.app.network !== null) {
      for (let second = 0; second < PAST; second += 1) {
        this.#move();
        first.push({ kind: "network", network: this.view() });
      }
      first.push(...this.lines.map((line): News => ({ kind: "line", line })));
    }
    hear(structuredClone(first));
  }

  tell(...news: News[]): void {
    const batch = structuredClone(news);
    for (const hear of this.#watchers) {
      hear(batch);
    }
  }

  tellApp(change: Partial<App>): void {
    this.app = { ...this.app, ...change };
    this.tell({ kind: "app", app: this.app });
  }

  view(): NetworkView {
    return {
      network: this.scene.name,
      manifest: this.scene.file,
      version: "1.0.0",
      pid: 4711,
      uptimeMs: this.nowMs,
      nowMs: this.nowMs,
      hosts: this.hosts,
      held: this.waits === null ? undefined : { number: 1, grants: this.waits.grants.filter((grant) => grant.isNew).map((grant) => grant.text) },
    };
  }

  /** The change of the manifest that waits for the person. */
  waits: Consent | null = null;
  /** Puts the change into force when the person has agreed. */
  agreed: (() => void) | null = null;

  plan(): PlanView {
    const { actors, routes, policy } = this.scene;
    return { hosts: actors.map((actor) => actor.plan), routes, ...(policy === undefined ? {} : { policy }) };
  }

  commands(): ConsentHost[] {
    return this.scene.actors.map(({ plan }, index) => ({
      host: plan.name,
      vip: plan.vip,
      command: plan.command,
      previous: index === 1 ? ["ssh", "deploy@web1.example.com", "--", "norouter", "agent", "--automated"] : index < 4 ? plan.command : null,
      change: plan.command.length === 0 ? "same" : index === 1 ? "changed" : index < 4 ? "same" : "new",
    }));
  }

  host(name: unknown): HostView {
    const found = this.hosts.find((host) => host.name === name);
    if (found === undefined) {
      throw `The network has no host "${String(name)}".`;
    }
    return found;
  }

  /** Changes a host. Reports the change as the manager does: with news of the host, and with a line of the log. */
  change(name: string, state: HostState, more: Partial<HostView> = {}): void {
    const old = this.host(name);
    const host: HostView = { ...old, reason: undefined, troubles: [], retry: undefined, held: undefined, prompts: [], install: undefined, ...more, state, sinceMs: this.nowMs };
    this.hosts = this.hosts.map((other) => (other === old ? host : other));
    this.tell({ kind: "host", host });
    this.log({ type: "host", host: name, vip: host.vip, state, reason: host.reason, retry: host.retry });
  }

  log(event: Event): void {
    const line = { seq: (this.lines.at(-1)?.seq ?? 0) + 1, timeMs: this.epochMs + (this.nowMs - BEGAN_MS), sentence: sentence(event), ...event } as LogLine;
    this.lines = [...this.lines.slice(-4999), line];
    this.tell({ kind: "line", line });
  }

  /** Simulates one second of the network. */
  tick(): void {
    if (this.app.network === null) {
      return;
    }
    this.#move();
    this.tell({ kind: "network", network: this.view() });
    for (const host of this.hosts) {
      if (host.state === "waiting" && host.retry !== undefined && host.retry.atMs <= this.nowMs) {
        this.#retry(host);
      } else if (host.install !== undefined) {
        this.#install(host, host.install);
      } else if (host.state === "greeting" && this.nowMs - host.sinceMs > 1500) {
        this.change(host.name, "configuring");
      } else if (host.state === "configuring" && this.nowMs - host.sinceMs > 900) {
        this.change(host.name, "ready", { latencyUs: 9000 });
      }
    }
  }

  #install(host: HostView, now: InstallView): void {
    const install = later(now);
    if (install?.step !== now.step) {
      this.log({ type: "step", host: host.name, vip: host.vip, step: now.step, tookMs: 1000, bytes: now.size });
    }
    if (install === undefined) {
      this.change(host.name, "configuring");
      return;
    }
    const next = { ...host, install };
    this.hosts = this.hosts.map((other) => (other === host ? next : other));
    this.tell({ kind: "host", host: next });
  }

  #retry(host: HostView): void {
    const attempt = (host.retry?.attempt ?? 0) + 1;
    const pauseMs = Math.min(60_000, 1000 * 2 ** attempt);
    this.log({ type: "stderr", host: host.name, vip: host.vip, line: host.stderr.at(-1) ?? "" });
    this.change(host.name, "waiting", { reason: host.reason, troubles: host.troubles, retry: { attempt, pauseMs, atMs: this.nowMs + pauseMs } });
  }

  #move(): void {
    this.nowMs += 1000;
    this.hosts = this.hosts.map((host, index) => {
      const actor = this.scene.actors[index] as Actor;
      if (host.state !== "ready" && host.state !== "degraded") {
        return host;
      }
      const wave = 1 + Math.sin(this.nowMs / 9000 + index * 2) * 0.8;
      const moved = Math.round(actor.busyKb * 1000 * wave * this.chance.between(0.3, 1.4));
      const spike = this.chance.next() > 0.96 ? 2.4 : 1;
      return {
        ...host,
        latencyUs: Math.round(actor.latencyMs * 1000 * this.chance.between(0.85, 1.25) * spike),
        traffic: {
          ...host.traffic,
          bytesFrom: host.traffic.bytesFrom + moved,
          bytesTo: host.traffic.bytesTo + Math.round(moved * 0.2),
        },
      };
    });
  }

  #born(actor: Actor): HostView {
    const up = actor.state === "ready" || actor.state === "degraded";
    const retry = actor.extra?.retry;
    return {
      name: actor.plan.name,
      vip: actor.plan.vip,
      ports: actor.plan.publishes.map((port) => port.port),
      state: actor.state,
      sinceMs: up ? 12_000 : this.nowMs + PAST * 1000 - 4000,
      latencyUs: up ? actor.latencyMs * 1000 : undefined,
      troubles: [],
      version: up ? "1.0.0" : undefined,
      stderr: [],
      traffic: { flows: up ? Math.ceil(actor.busyKb / 90) : 0, bytesFrom: actor.busyKb * 120_000, bytesTo: actor.busyKb * 40_000, refused: 0, malformed: 0, spoofed: 0, stray: 0, shed: 0 },
      prompts: [],
      ...actor.extra,
      ...(retry === undefined ? {} : { retry: { ...retry, atMs: this.nowMs + PAST * 1000 + 12_000 } }),
    };
  }
}

/** The network of a scene, as the app shows it. */
export function shown({ name, file, actors }: Scene, hosted: boolean): Shown {
  const jumps = Object.fromEntries(actors.flatMap(({ plan, jumps }) => (jumps === undefined ? [] : [[plan.name, jumps]])));
  const log = hosted ? { log: `/home/ada/.local/state/norouter/logs/${name}.log` } : {};
  return { name, manifest: file, hosted, phase: "running", jumps, ...log };
}

/** The state of the app at the beginning of each scene. */
function firstApp(name: string, played: Scene): App {
  const recent = [
    { path: played.file, name: "office.yaml", exists: true },
    { path: "/home/ada/clients/a-client-with-a-long-name/environments/staging/eu-central-1/norouter.yaml", name: "norouter.yaml", exists: true },
    { path: "/media/usb/old-lab.yaml", name: "old-lab.yaml", exists: false },
  ];
  const app: App = {
    version: "1.0.0",
    platform: "linux",
    tray: true,
    manifest: played.file,
    network: shown(played, !name.endsWith("attached")),
    running: name === "first" ? [] : ["lab"],
    recent,
    consent: null,
    dragged: null,
    failure: null,
    settings: { theme: "system", startAtLogin: false, notifyLost: true, notifyNeedsYou: true, openLast: true },
  };
  switch (name) {
    case "first":
      return { ...app, manifest: null, network: null, recent: [] };
    case "stopped":
    case "consent":
    case "consent-alone":
    case "consent-many":
      return { ...app, network: null };
    case "dragged":
      return { ...app, dragged: { kind: "one", name: "lab.yaml" } };
    case "not-opened":
      return { ...app, failure: { title: "/home/ada/miss.yaml was not opened", report: "cannot open /home/ada/miss.yaml: No such file or directory", manifest: "/home/ada/miss.yaml" } };
    case "failure":
      return {
        ...app,
        failure: {
          title: "office.yaml has 2 errors; the network goes on as it was",
          report: 'office.yaml:14:5: error: "prots" is not known here\n   |\n14 |     prots: ["8080:127.0.0.1:80"]\n   |     ^^^^^ did you mean "ports"?\n\noffice.yaml:21:10: error: the port 99999 is larger than 65535',
          manifest: null,
        },
      };
    default:
      return app;
  }
}
