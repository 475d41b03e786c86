import type { HostState } from "./HostState";
import type { Retry } from "./Retry";

export type Event = { type: "host"; host: string; vip: string; state: HostState; reason?: string; retry?: Retry } | { type: "reloaded"; changes: string[] } | { type: "hopeless"; hosts: number } | { type: "stderr"; host: string; vip: string; line: string } | { type: "warning"; host: string; vip: string; text: string };
