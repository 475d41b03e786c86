// Every command of the back end, with its types. No other file of the page calls `invoke`.
import { Channel, invoke } from "@tauri-apps/api/core";

import type { App } from "./types/App";
import type { ChangedBy } from "./types/ChangedBy";
import type { Check } from "./types/Check";
import type { Checked } from "./types/Checked";
import type { Edited } from "./types/Edited";
import type { EditRequest } from "./types/EditRequest";
import type { EndedFlowsView } from "./types/EndedFlowsView";
import type { EnvShell } from "./types/EnvShell";
import type { FieldSpec } from "./types/FieldSpec";
import type { FlowsView } from "./types/FlowsView";
import type { HostTest } from "./types/HostTest";
import type { Imports } from "./types/Imports";
import type { LogView } from "./types/LogView";
import type { ManifestChange } from "./types/ManifestChange";
import type { ManifestText } from "./types/ManifestText";
import type { Merged } from "./types/Merged";
import type { News } from "./types/News";
import type { OpenPortsView } from "./types/OpenPortsView";
import type { Outline } from "./types/Outline";
import type { PlanView } from "./types/PlanView";
import type { Settings } from "./types/Settings";
import type { Then } from "./types/Then";
import type { TrialNews } from "./types/TrialNews";
import type { WhyView } from "./types/WhyView";

/** Calls `hear` with all news, in batches, until the page is closed. */
function watch(hear: (batch: News[]) => void): Promise<void> {
  const channel = new Channel<News[]>();
  channel.onmessage = hear;
  return invoke("watch", { channel });
}

/**
 * Tests a host of a manifest, and calls `hear` with all news. `digest` names the question to which the person has agreed.
 * If the person has not agreed yet, nothing is started, and the question is returned.
 */
function testHost(text: string, host: string, digest: string | null, hear: (news: TrialNews) => void): Promise<HostTest> {
  const channel = new Channel<TrialNews>();
  channel.onmessage = hear;
  return invoke("test_host", { text, host, digest, channel });
}

export const ipc = {
  app: () => invoke<App>("app"),
  watch,
  flows: (limit: number) => invoke<FlowsView>("flows", { limit }),
  /** The flows that have ended last, and at most `limit` of them. */
  endedFlows: (limit: number) => invoke<EndedFlowsView>("ended_flows", { limit }),
  logs: (host: string | null, limit: number) => invoke<LogView>("logs", { host, limit }),
  plan: () => invoke<PlanView>("plan"),
  openPorts: (host: string) => invoke<OpenPortsView>("open_ports", { host }),
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
  imports: (context: string | null) => invoke<Imports>("imports", { context }),
  /** Returns the path of the new file; `null` if the person has cancelled. */
  createFrom: (offers: string[], then: Then = "open") => invoke<string | null>("create_from", { offers, then }),

  manifestRead: () => invoke<ManifestText>("manifest_read"),
  manifestCheck: (text: string) => invoke<Checked>("manifest_check", { text }),
  /** Saves the text, but only if the hash of the file on disk is still `base`. */
  manifestSave: (text: string, base: string, by: ChangedBy) => invoke<ManifestText>("manifest_save", { text, base, by }),
  /** The changes of the open file, the newest first. */
  manifestHistory: () => invoke<ManifestChange[]>("manifest_history"),
  /** The content of the file after a change. */
  manifestHistoryText: (id: number) => invoke<string>("manifest_history_text", { id }),
  testHost,
  /** Answers a question of a command that is tested; `null` is a refusal. */
  testAnswer: (id: number, prompt: number, text: string | null) => invoke<void>("test_answer", { id, prompt, text }),
  testEnd: (id: number) => invoke<void>("test_end", { id }),
  /** The outline of a text; `null` if the text cannot be read. */
  manifestOutline: (text: string) => invoke<Outline | null>("manifest_outline", { text }),
  /** The text after all of the edits, or the refusal of the first edit that cannot be made. */
  manifestEdit: (text: string, edits: EditRequest[]) => invoke<Edited>("manifest_edit", { text, edits }),
  /** All fields that a manifest can have. */
  manifestFields: () => invoke<FieldSpec[]>("manifest_fields"),
  /** The changes of both sides since `base`, and the places at which both have changed the same lines. */
  manifestMerge: (base: string, mine: string, theirs: string) => invoke<Merged>("manifest_merge", { base, mine, theirs }),
  manifestSchema: () => invoke<Record<string, unknown>>("manifest_schema"),

  envScript: (shell: EnvShell, host: string | null) => invoke<string>("env_script", { shell, host }),
  copy: (text: string) => invoke<void>("copy", { text }),
  openUrl: (url: string) => invoke<void>("open_url", { url }),
  diagnostics: () => invoke<string>("diagnostics"),
  diagnosticsSave: (text: string) => invoke<string | null>("diagnostics_save", { text }),
  exportLog: (text: string) => invoke<string | null>("export_log", { text }),
  report: (message: string) => invoke<void>("report", { message }),
};
