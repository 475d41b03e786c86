import type { HostView } from "./HostView";

export type NetworkView = { network: string; manifest?: string; version: string; pid: number; uptimeMs: number; nowMs: number; hosts: HostView[] };
