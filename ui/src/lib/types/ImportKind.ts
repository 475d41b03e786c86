export type ImportKind = "ssh" | "container" | "pod";
