// Flows between the hosts of the scene.
import type { Commands } from "./backend";
import type { World } from "./world";

export function flowCommands(_world: World): Commands {
  return {
    flows: () => ({ total: 0, flows: [] }),
    kill_flow: () => undefined,
  };
}
