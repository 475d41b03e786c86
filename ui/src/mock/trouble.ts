// Troubles of hosts, told as the manager tells them.
import type { HostView } from "../lib/types/HostView";
import type { Trouble } from "../lib/types/Trouble";

/** The part of a host that has these troubles, with the reason that is made of them. */
export function troubled(...troubles: Trouble[]): Partial<HostView> {
  const sentences = troubles.map(({ what, remedy }) => (remedy === undefined ? what : `${what}; ${remedy}`));
  return { reason: sentences.join("; "), troubles };
}
