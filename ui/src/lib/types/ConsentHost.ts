import type { ConsentChange } from "./ConsentChange";

export type ConsentHost = { host: string; vip: string; command: string[]; previous: string[] | null; change: ConsentChange };
