import type { Severity } from "./Severity";

export type Problem = { severity: Severity; line: number; column: number; endLine: number; endColumn: number; message: string; hint: string | null };
