// A simulated back end inside the page, so that every page can be seen and tested in a browser: `npm run mock`. The
// real bundle does not contain it. The address selects a scene, as in `/?scene=many`. With `&still`, the clock of the
// scene stands still.
import { mockIPC, mockWindows } from "@tauri-apps/api/mocks";

import type { Args, Commands } from "./commands";
import { consentCommands } from "./consent";
import { flowCommands } from "./flows";
import { hostCommands } from "./hosts";
import { hostTestCommands } from "./hostTest";
import { fillLog } from "./log";
import { manifestCommands } from "./manifest";
import { machineCommands } from "./machine";
import { networkCommands } from "./network";
import { World } from "./world";

export function install(): void {
  const query = new URLSearchParams(location.search);
  const world = new World(query.get("scene") ?? "office", query.has("still"));
  fillLog(world);
  const commands: Commands = {
    ...networkCommands(world),
    ...hostCommands(world),
    ...consentCommands(world),
    ...machineCommands(world),
    ...flowCommands(world),
    ...manifestCommands(world),
    ...hostTestCommands(),
  };
  mockWindows("main");
  mockIPC(
    (command, args) => {
      const run = commands[command];
      if (run === undefined) {
        throw `The back end has no command "${command}".`;
      }
      return run((args ?? {}) as Args);
    },
    { shouldMockEvents: true },
  );
}
