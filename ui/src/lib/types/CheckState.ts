export type CheckState = "ok" | "missing" | "unknown";
