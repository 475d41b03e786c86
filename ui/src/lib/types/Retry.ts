export type Retry = { attempt: number; atMs: number; pauseMs: number };
