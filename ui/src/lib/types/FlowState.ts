export type FlowState = "opening" | "open" | "closing";
