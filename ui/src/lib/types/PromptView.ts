import type { PromptKind } from "./PromptKind";

export type PromptView = { id: number; kind: PromptKind; text: string };
