export type EnvShell = "posix" | "fish" | "powershell" | "cmd";
