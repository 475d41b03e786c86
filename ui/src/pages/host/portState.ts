// Whether a published port can be used, told from what the agents of all hosts say: each of them listens for it.
import { isUp } from "../../lib/truth";
import type { HostView } from "../../lib/types/HostView";

/** A host on which nothing listens for a port, and why. */
export type Deaf = { host: string; reason: string };

export type PortState =
  /** All agents that are there listen for it. */
  | { kind: "open" }
  /** Some do not. */
  | { kind: "partly"; where: Deaf[] }
  /** None does. */
  | { kind: "closed"; where: Deaf[] }
  /** Its host is not up, and what would come of a connection is not known. */
  | { kind: "unknown" };

/** The state of one port of a host. `hosts` are all hosts of the network, it among them. */
export function portState(host: HostView, port: number, hosts: readonly HostView[]): PortState {
  if (!isUp(host)) {
    return { kind: "unknown" };
  }
  // The words of an agent's listener (`Listener` in the edge), as the manager tells them.
  const begins = `cannot listen on ${host.vip}:${port}: `;
  const listening = hosts.filter(isUp);
  const where = listening.flatMap((other) => {
    const problem = other.problems.find((one) => one.startsWith(begins));
    return problem === undefined ? [] : [{ host: other.name, reason: problem.slice(begins.length) }];
  });
  if (where.length === 0) {
    return { kind: "open" };
  }
  return { kind: where.length === listening.length ? "closed" : "partly", where };
}
