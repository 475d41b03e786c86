// Which of the manifest's routes a flow follows, told from where it goes.
import type { FlowView } from "./types/FlowView";
import type { PlanRoute } from "./types/PlanRoute";

/** The route that leads to an address through a gateway: the last one that has it, as in the manager. */
export function routeOf(routes: readonly PlanRoute[], flow: FlowView): { to: string; via: string } | null {
  if (flow.via === undefined) {
    return null;
  }
  const address = flow.dst.slice(0, flow.dst.lastIndexOf(":"));
  for (const route of routes.toReversed()) {
    const block = route.to.find((to) => holds(to, address));
    const except = route.notTo.some((to) => holds(to, address));
    if (block !== undefined && !except && leadsThrough(route, flow.via)) {
      return { to: block, via: flow.via };
    }
  }
  return null;
}

/** Whether a host is the gateway of a route, or one of those that take its place. */
export function leadsThrough(route: PlanRoute, host: string): boolean {
  return route.via === host || (route.orVia ?? []).includes(host);
}

/** Whether a block such as `10.0.0.0/8` holds an IPv4 address. Names are not known any more where flows are seen. */
export function holds(block: string, address: string): boolean {
  const [first, length] = block.split("/");
  const bits = Number(length);
  const from = ipv4(first ?? "");
  const at = ipv4(address);
  if (from === null || at === null || !Number.isInteger(bits) || bits < 0 || bits > 32) {
    return false;
  }
  const size = 2 ** (32 - bits);
  return Math.floor(from / size) === Math.floor(at / size);
}

function ipv4(text: string): number | null {
  const parts = text.split(".").map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : NaN));
  if (parts.length !== 4 || !parts.every((part) => part <= 255)) {
    return null;
  }
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}
