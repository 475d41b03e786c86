import type { LogLine } from "./LogLine";

export type LogView = { last: number; lines: LogLine[] };
