import type { EffectKind } from "./EffectKind";

export type EffectLine = { kind: EffectKind; host: string | null; text: string };
