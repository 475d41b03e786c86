export type ConsentChange = "new" | "changed" | "same";
