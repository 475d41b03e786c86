export type PlanPort = { port: number; target: string };
