// The words for the state of a host. They are the same as on the command line (`HostState::word` in `agent/view/snapshot.rs`).
import type { HostState } from "../types/HostState";

const word: Record<HostState, string> = {
  starting: "starting",
  greeting: "connecting",
  configuring: "configuring",
  ready: "ready",
  degraded: "degraded",
  waiting: "retrying",
  needsYou: "needs input",
  refused: "cannot start",
  stopped: "stopped",
};

const meaning: Record<HostState, string> = {
  starting: "The command has not been started yet.",
  greeting: "Command started, waiting for the agent.",
  configuring: "Agent is applying its configuration.",
  ready: "Reachable.",
  degraded: "Reachable, but something on it does not work.",
  waiting: "Disconnected. Retries automatically.",
  needsYou: "The command asks for something that only a person can give.",
  refused: "Cannot join with these settings; retrying will not help.",
  stopped: "Stopped by you.",
};

export const states = { word, meaning };
