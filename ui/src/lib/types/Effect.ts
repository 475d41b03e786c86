import type { ConsentHost } from "./ConsentHost";
import type { EffectLine } from "./EffectLine";

export type Effect = { lines: EffectLine[]; drops: number; untouched: number; commands: ConsentHost[] };
