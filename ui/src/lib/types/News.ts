import type { App } from "./App";
import type { HostView } from "./HostView";
import type { LogLine } from "./LogLine";
import type { ManifestText } from "./ManifestText";
import type { NetworkView } from "./NetworkView";

export type News = { kind: "app"; app: App } | { kind: "network"; network: NetworkView } | { kind: "host"; host: HostView } | { kind: "line"; line: LogLine } | { kind: "missed"; count: number } | { kind: "manifest"; manifest: ManifestText } | { kind: "ended" };
