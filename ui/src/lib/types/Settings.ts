import type { Theme } from "./Theme";

export type Settings = { theme: Theme; startAtLogin: boolean; notifications: boolean; openLast: boolean };
