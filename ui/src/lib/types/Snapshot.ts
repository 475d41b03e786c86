import type { HostView } from "./HostView";

export type Snapshot = { nowMs: number; hosts: HostView[] };
