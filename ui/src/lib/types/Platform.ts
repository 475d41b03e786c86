export type Platform = "linux" | "macos" | "windows";
