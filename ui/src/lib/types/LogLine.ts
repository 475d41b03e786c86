import type { Event } from "./Event";

export type LogLine = { seq: number; timeMs: number } & Event;
