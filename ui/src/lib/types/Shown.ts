import type { Phase } from "./Phase";

export type Shown = { name: string; manifest: string | null; hosted: boolean; phase: Phase };
