import type { PlanHost } from "./PlanHost";
import type { PlanRoute } from "./PlanRoute";

export type PlanView = { hosts: PlanHost[]; routes: PlanRoute[] };
