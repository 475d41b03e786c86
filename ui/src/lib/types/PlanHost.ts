import type { PlanPort } from "./PlanPort";

export type PlanHost = { name: string; vip: string; aliases: string[]; command: string[]; publishes: PlanPort[]; http?: string; socks?: string; dns?: string; gateway: boolean };
