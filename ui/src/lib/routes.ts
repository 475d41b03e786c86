// The routes of the plan and their gateways.
import type { PlanRoute } from "./types/PlanRoute";

/** Whether a host is the gateway of a route, or one of the gateways that replace it. */
export function leadsThrough(route: PlanRoute, host: string): boolean {
  return route.via === host || (route.orVia ?? []).includes(host);
}
