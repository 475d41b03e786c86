export type Recent = { path: string; name: string; exists: boolean };
