export type Failure = { title: string; report: string };
