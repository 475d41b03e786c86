export type HostState = "starting" | "greeting" | "configuring" | "ready" | "degraded" | "waiting" | "needsYou" | "refused" | "stopped";
