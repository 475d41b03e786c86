export type PlanRoute = { to: string[]; notTo: string[]; via: string };
