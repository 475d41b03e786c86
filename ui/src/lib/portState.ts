// The state of a published port. The agents of all hosts listen for it. If an agent cannot, its troubles say so.
import { isUp } from "./truth";
import type { HostView } from "./types/HostView";
import type { Trouble } from "./types/Trouble";
import type { TryOutcome } from "./types/TryOutcome";

/** A host on which no agent listens for a port, and the reason. */
export type Deaf = { host: string; trouble: Trouble };

export type PortState =
  /** The agents of all hosts that are up listen for the port. */
  | { kind: "open" }
  /** Some agents cannot listen for the port. */
  | { kind: "partly"; where: Deaf[] }
  /** No agent can listen for the port. */
  | { kind: "closed"; where: Deaf[] }
  /** The host of the port is not up, so nothing is known about connections to the port. */
  | { kind: "unknown" };

/** The state of one port of a host. `hosts` are all hosts of the network, including this one. */
export function portState(host: HostView, port: number, hosts: readonly HostView[]): PortState {
  if (!isUp(host)) {
    return { kind: "unknown" };
  }
  const address = `${host.vip}:${port}`;
  const listening = hosts.filter(isUp);
  const where = listening.flatMap((other) => {
    const trouble = other.troubles.find((one) => one.code === "listen" && one.address === address);
    return trouble === undefined ? [] : [{ host: other.name, trouble }];
  });
  if (where.length === 0) {
    return { kind: "open" };
  }
  return { kind: where.length === listening.length ? "closed" : "partly", where };
}

/**
 * The last known state of the service behind a port: the outcome of the last attempt to reach it, and the time of the
 * attempt.
 */
export type FarState = { outcome: TryOutcome; atMs: number } | { outcome: "untried" };

export function farState(host: HostView, port: number): FarState {
  return host.tried?.find((one) => one.port === port) ?? { outcome: "untried" };
}

/** The state of a port in one word. A trouble of a listener comes before anything that is known of the service. */
export function portLook(host: HostView, port: number, hosts: readonly HostView[]): TryOutcome | "untried" | "deaf" {
  const near = portState(host, port, hosts);
  return near.kind === "closed" || near.kind === "partly" ? "deaf" : farState(host, port).outcome;
}
