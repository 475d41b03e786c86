export type ManifestText = { path: string; text: string; hash: string; editable: boolean };
