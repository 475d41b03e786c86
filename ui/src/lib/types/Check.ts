import type { CheckState } from "./CheckState";

export type Check = { id: string; title: string; state: CheckState; detail: string; fix: string | null };
