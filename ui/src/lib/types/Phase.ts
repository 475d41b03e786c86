export type Phase = "starting" | "running" | "ending";
