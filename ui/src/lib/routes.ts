// The routes of the plan and their gateways.
import type { PlanRoute } from "./types/PlanRoute";

/** Whether a host is the gateway of a route, or one of those that take its place. */
export function leadsThrough(route: PlanRoute, host: string): boolean {
  return route.via === host || (route.orVia ?? []).includes(host);
}
