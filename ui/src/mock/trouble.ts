// Troubles of hosts, in the form in which the manager reports them.
import type { HostView } from "../lib/types/HostView";
import type { Trouble } from "../lib/types/Trouble";

/** The fields of a host that has these troubles. The reason is made of the troubles. */
export function troubled(...troubles: Trouble[]): Partial<HostView> {
  const sentences = troubles.map(({ what, remedy }) => (remedy === undefined ? what : `${what}; ${remedy}`));
  return { reason: sentences.join("; "), troubles };
}
