import type { FlowView } from "./FlowView";

export type FlowsView = { total: number; flows: FlowView[] };
