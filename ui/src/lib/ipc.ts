// Every command of the back end, with its types. Nothing else in the page calls `invoke`.
import { Channel, invoke } from "@tauri-apps/api/core";

import type { App } from "./types/App";
import type { Check } from "./types/Check";
import type { Checked } from "./types/Checked";
import type { EndedFlowsView } from "./types/EndedFlowsView";
import type { EnvShell } from "./types/EnvShell";
import type { FlowsView } from "./types/FlowsView";
import type { ImportOffer } from "./types/ImportOffer";
import type { LogView } from "./types/LogView";
import type { ManifestText } from "./types/ManifestText";
import type { News } from "./types/News";
import type { PlanView } from "./types/PlanView";
import type { Settings } from "./types/Settings";
import type { Then } from "./types/Then";
import type { WhyView } from "./types/WhyView";

/** Calls `hear` with all news, in batches, until the page is closed. */
function watch(hear: (batch: News[]) => void): Promise<void> {
  const channel = new Channel<News[]>();
  channel.onmessage = hear;
  return invoke("watch", { channel });
}

export const ipc = {
  app: () => invoke<App>("app"),
  watch,
  flows: (limit: number) => invoke<FlowsView>("flows", { limit }),
  /** The flows that have ended last; at most `limit` of them. */
  endedFlows: (limit: number) => invoke<EndedFlowsView>("ended_flows", { limit }),
  logs: (host: string | null, limit: number) => invoke<LogView>("logs", { host, limit }),
  plan: () => invoke<PlanView>("plan"),
  why: (target: string, from: string | null) => invoke<WhyView>("why", { target, from }),

  openManifest: (path: string) => invoke<void>("open_manifest", { path }),
  openDialog: () => invoke<void>("open_dialog"),
  openDemo: () => invoke<void>("open_demo"),
  /** Tries again to open the manifest that could not be opened. */
  openFailed: () => invoke<void>("open_failed"),
  /** Returns the path of the new file; `null` if the person has cancelled. */
  createExample: (then: Then = "open") => invoke<string | null>("create_example", { then }),
  consent: (digest: string, agree: boolean) => invoke<void>("consent", { digest, agree }),

  start: () => invoke<void>("start"),
  stop: () => invoke<void>("stop"),
  reload: () => invoke<void>("reload"),
  attach: (name: string) => invoke<void>("attach", { name }),
  detach: () => invoke<void>("detach"),
  quit: () => invoke<void>("quit"),

  startHost: (host: string) => invoke<void>("start_host", { host }),
  stopHost: (host: string) => invoke<void>("stop_host", { host }),
  restartHost: (host: string) => invoke<void>("restart_host", { host }),
  approve: (host: string, number: number) => invoke<void>("approve", { host, number }),
  killFlow: (id: string) => invoke<void>("kill_flow", { id }),
  /** Answers a prompt of a host's command; `null` is a refusal. */
  answer: (host: string, prompt: number, text: string | null, remember: boolean) =>
    invoke<void>("answer", { host, prompt, text, remember }),

  forgetRecent: (path: string) => invoke<void>("forget_recent", { path }),
  setSettings: (settings: Settings) => invoke<void>("set_settings", { settings }),
  checks: () => invoke<Check[]>("checks"),
  imports: () => invoke<ImportOffer[]>("imports"),
  /** Returns the path of the new file; `null` if the person has cancelled. */
  createFrom: (offers: string[], then: Then = "open") => invoke<string | null>("create_from", { offers, then }),

  manifestRead: () => invoke<ManifestText>("manifest_read"),
  manifestCheck: (text: string) => invoke<Checked>("manifest_check", { text }),
  /** Saves the text, but only if the hash of the file on disk is still `base`. */
  manifestSave: (text: string, base: string) => invoke<ManifestText>("manifest_save", { text, base }),
  manifestSchema: () => invoke<Record<string, unknown>>("manifest_schema"),

  envScript: (shell: EnvShell, host: string | null) => invoke<string>("env_script", { shell, host }),
  copy: (text: string) => invoke<void>("copy", { text }),
  openUrl: (url: string) => invoke<void>("open_url", { url }),
  diagnostics: () => invoke<string>("diagnostics"),
  diagnosticsSave: (text: string) => invoke<string | null>("diagnostics_save", { text }),
  exportLog: (text: string) => invoke<string | null>("export_log", { text }),
  report: (message: string) => invoke<void>("report", { message }),
};
