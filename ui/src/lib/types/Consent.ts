import type { ConsentHost } from "./ConsentHost";

export type Consent = { path: string; digest: string; hosts: ConsentHost[] };
