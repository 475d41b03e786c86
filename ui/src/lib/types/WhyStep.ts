import type { WhyOutcome } from "./WhyOutcome";

export type WhyStep = { step: string; outcome: WhyOutcome; text: string; tookUs?: number; remedy?: string };
