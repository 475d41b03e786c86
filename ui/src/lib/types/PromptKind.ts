export type PromptKind = "secret" | "confirm" | "text";
