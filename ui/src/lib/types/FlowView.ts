import type { FlowState } from "./FlowState";

export type FlowView = { id: string; from: string; to: string; src: string; dst: string; name: string; via?: string; state: FlowState; bytesFrom: number; bytesTo: number; rateFrom: number; rateTo: number; packets: number; ageMs: number; idleMs: number; rttUs?: number };
