export type HeldView = { digest: string; command: string[]; previous?: string[] };
