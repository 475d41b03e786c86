// The state of the page, and how each piece of news changes it. The functions are pure: they have no clock and no side
// effects, and do not modify their arguments. Therefore tests can apply any news.
import type { App } from "./types/App";
import type { HostView } from "./types/HostView";
import type { LogLine } from "./types/LogLine";
import type { ManifestText } from "./types/ManifestText";
import type { NetworkView } from "./types/NetworkView";
import type { News } from "./types/News";

/** Measurements of a host between two snapshots of the network, about one second apart. */
export type Sample = {
  /** The time of the later snapshot, in milliseconds of the manager's clock. */
  atMs: number;
  /** The latency in microseconds; `null` if the agent has not answered lately. */
  latencyUs: number | null;
  /** The rates in bytes per second: sent by the host, and sent to it. */
  rateFrom: number;
  rateTo: number;
};

export type State = {
  app: App | null;
  /** The network without its hosts; `null` while none is shown. */
  network: Omit<NetworkView, "hosts"> | null;
  /** The hosts in the order of the manifest. */
  hosts: HostView[];
  /** The samples by name of the host, oldest first. */
  histories: Record<string, Sample[]>;
  /** The last lines of the log, oldest first. They are kept after the network has ended, because they say why. */
  lines: LogLine[];
  /** Whether `lines` belong to a network that has ended. If so, the first line of another network replaces them. */
  linesOver: boolean;
  /** The content of the manifest when another program last changed it; `null` until that happens. */
  manifest: ManifestText | null;
  /** A number that grows whenever the plan may have changed. */
  planned: number;
};

/** The number of samples per host: one per second for two minutes. */
export const MAX_SAMPLES = 120;
/** The maximum number of log lines that the page keeps. */
export const MAX_LINES = 20_000;

export const nothing: State = {
  app: null,
  network: null,
  hosts: [],
  histories: {},
  lines: [],
  linesOver: false,
  manifest: null,
  planned: 0,
};

/**
 * The state after a batch of news. Lines are added once for the whole batch, because a busy log brings many of them.
 */
export function reduceAll(state: State, batch: News[]): State {
  let next = state;
  let lines: LogLine[] = [];
  for (const news of batch) {
    if (news.kind === "line") {
      lines.push(news.line);
      continue;
    }
    if (lines.length > 0) {
      next = withLines(next, lines);
      lines = [];
    }
    next = reduce(next, news);
  }
  return lines.length > 0 ? withLines(next, lines) : next;
}

/** The state after one piece of news. */
export function reduce(state: State, news: News): State {
  switch (news.kind) {
    case "app":
      return withApp(state, news.app);
    case "network":
      return withNetwork(state, news.network);
    case "host":
      return withHost(state, news.host);
    case "line":
      return withLines(state, [news.line]);
    case "manifest":
      return { ...state, manifest: news.manifest };
    case "ended":
      return ended(state);
    default:
      // Missed lines are visible as a gap in the line numbers. A newer app may also send kinds of news that are not
      // known here.
      return state;
  }
}

function withApp(state: State, app: App): State {
  const other = state.app?.manifest !== app.manifest;
  const next = { ...state, app, manifest: other ? null : state.manifest };
  return app.network === null && state.network !== null ? ended(next) : next;
}

function ended(state: State): State {
  return { ...state, network: null, hosts: [], histories: {}, linesOver: true, planned: state.planned + 1 };
}

function withNetwork(state: State, view: NetworkView): State {
  const { hosts, ...network } = view;
  const before = state.network;
  if (before === null || isAnother(before, view)) {
    const histories = Object.fromEntries(hosts.map((host) => [host.name, [firstSample(view, host)]]));
    // Lines of the log may arrive before the network itself. They then belong to this network.
    const lines = before === null && !state.linesOver ? state.lines : [];
    return { ...state, network, hosts, histories, lines, linesOver: false, planned: state.planned + 1 };
  }
  const old = new Map(state.hosts.map((host) => [host.name, host]));
  const histories: Record<string, Sample[]> = {};
  for (const host of hosts) {
    const past = state.histories[host.name] ?? [];
    histories[host.name] = withSample(past, view.nowMs, host, old.get(host.name));
  }
  const same = planSign(hosts, view.held?.number) === planSign(state.hosts, before.held?.number);
  return { ...state, network, hosts, histories, planned: same ? state.planned : state.planned + 1 };
}

/**
 * A text that changes whenever the plan may have changed: when hosts are added or removed, and when a command or a
 * whole change begins to wait for approval or is approved.
 */
function planSign(hosts: readonly HostView[], held: number | undefined): string {
  return JSON.stringify([held ?? 0, hosts.map((host) => [host.name, host.held?.number ?? 0])]);
}

/**
 * Whether a view belongs to a different run than the one before. Two runs may have the same name and the same process
 * id.
 */
function isAnother(before: Omit<NetworkView, "hosts">, view: NetworkView): boolean {
  return before.network !== view.network || before.pid !== view.pid || view.uptimeMs < before.uptimeMs;
}

function firstSample(view: NetworkView, host: HostView): Sample {
  return { atMs: view.nowMs, latencyUs: host.latencyUs ?? null, rateFrom: 0, rateTo: 0 };
}

/**
 * The sample for a host. Rates are the difference between two snapshots of the whole network, because news of single
 * hosts arrives at irregular times.
 */
function withSample(past: Sample[], atMs: number, host: HostView, old: HostView | undefined): Sample[] {
  const last = past.at(-1);
  const seconds = last === undefined ? 0 : (atMs - last.atMs) / 1000;
  if (last !== undefined && seconds <= 0) {
    return past;
  }
  const rate = (now: number, then: number | undefined) =>
    seconds > 0 && then !== undefined ? Math.max(0, now - then) / seconds : 0;
  const sample = {
    atMs,
    latencyUs: host.latencyUs ?? null,
    rateFrom: rate(host.traffic.bytesFrom, old?.traffic.bytesFrom),
    rateTo: rate(host.traffic.bytesTo, old?.traffic.bytesTo),
  };
  return [...past.slice(1 - MAX_SAMPLES), sample];
}

/** Updates one host. Its traffic stays as in the last snapshot, because the next rate is calculated from that. */
function withHost(state: State, host: HostView): State {
  const old = state.hosts.find((mine) => mine.name === host.name);
  if (old === undefined || state.network === null) {
    return state;
  }
  const mine = { ...host, traffic: old.traffic };
  const nowMs = Math.max(state.network.nowMs, host.sinceMs);
  return {
    ...state,
    planned: old.held?.number === host.held?.number ? state.planned : state.planned + 1,
    network: nowMs === state.network.nowMs ? state.network : { ...state.network, nowMs },
    hosts: state.hosts.map((other) => (other === old ? mine : other)),
  };
}

/** Appends new lines in the order of their numbers. A line that arrives twice is added only once. */
function withLines(state: State, lines: LogLine[]): State {
  const before = state.linesOver ? [] : state.lines;
  let last = before.at(-1)?.seq ?? 0;
  const fresh = lines.filter((line) => {
    const isNew = line.seq > last;
    last = Math.max(last, line.seq);
    return isNew;
  });
  if (fresh.length === 0) {
    return state;
  }
  const reloaded = fresh.some((line) => line.type === "reloaded");
  const all = [...before, ...fresh];
  return {
    ...state,
    linesOver: false,
    lines: all.length > MAX_LINES ? all.slice(all.length - MAX_LINES) : all,
    planned: reloaded ? state.planned + 1 : state.planned,
  };
}

/** Whether connections can reach a host in this state. */
export function isUp(host: Pick<HostView, "state">): boolean {
  return host.state === "ready" || host.state === "degraded";
}

/**
 * Whether a person should look at the host: it has a problem that a person has to solve, or it waits for a person.
 * `HostView::needs_attention` has the same rule.
 */
export function needsAttention(host: HostView): boolean {
  const { state, held } = host;
  return state === "needsYou" || state === "refused" || state === "degraded" || held !== undefined;
}

/** How many flows are open. Each flow has two ends, and is counted at both. */
export function openFlows(hosts: readonly HostView[]): number {
  return Math.ceil(hosts.reduce((sum, host) => sum + host.traffic.flows, 0) / 2);
}

/** How many hosts are up, how many should be up, and how many need attention. */
export function tally(hosts: HostView[]): { up: number; meant: number; attention: number } {
  const meant = hosts.filter((host) => host.state !== "stopped");
  return {
    up: meant.filter(isUp).length,
    meant: meant.length,
    attention: hosts.filter(needsAttention).length,
  };
}
