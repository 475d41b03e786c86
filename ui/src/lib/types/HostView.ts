import type { HeldView } from "./HeldView";
import type { HostState } from "./HostState";
import type { PromptView } from "./PromptView";
import type { Retry } from "./Retry";
import type { TrafficView } from "./TrafficView";

export type HostView = { name: string; vip: string; ports: number[]; state: HostState; reason?: string; retry?: Retry; sinceMs: number; latencyUs?: number; problems: string[]; version?: string; stderr: string[]; traffic: TrafficView; prompts: PromptView[]; held?: HeldView };
