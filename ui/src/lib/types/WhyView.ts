import type { WhyStep } from "./WhyStep";

export type WhyView = { target: string; from: string; steps: WhyStep[] };
