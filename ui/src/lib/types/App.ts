import type { Consent } from "./Consent";
import type { Failure } from "./Failure";
import type { Platform } from "./Platform";
import type { Recent } from "./Recent";
import type { Settings } from "./Settings";
import type { Shown } from "./Shown";

export type App = { version: string; platform: Platform; tray: boolean; manifest: string | null; network: Shown | null; running: string[]; recent: Recent[]; consent: Consent | null; failure: Failure | null; settings: Settings };
