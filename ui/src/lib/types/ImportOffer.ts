import type { ImportKind } from "./ImportKind";

export type ImportOffer = { id: string; kind: ImportKind; name: string; command: string[]; detail: string };
