export type EffectKind = "add" | "remove" | "restart" | "reconfigure";
