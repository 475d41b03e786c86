export type WhyOutcome = "ok" | "failed" | "unknown" | "skipped";
