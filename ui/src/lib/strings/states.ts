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
  starting: "Its command has not been started yet.",
  greeting: "Its command runs; nothing has come from its agent yet.",
  configuring: "Its agent is taking its configuration.",
  ready: "It can be reached.",
  degraded: "It can be reached, but something on it does not work.",
  waiting: "It is lost, and will be started again by itself.",
  needsYou: "Its command asks for something that only a person can give.",
  refused: "It cannot be part of the network as it is; no further try would change that.",
  stopped: "It was stopped on purpose.",
};

export const states = { word, meaning };
