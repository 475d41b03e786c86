// The file, and what its checker says of it.
import type { Commands } from "./backend";
import type { World } from "./world";

export function manifestCommands(world: World): Commands {
  return {
    manifest_read: () => ({ path: world.scene.file, text: "hosts:\n", hash: "0", editable: true }),
    manifest_check: () => ({ problems: [], effect: null }),
    manifest_save: ({ text }) => ({ path: world.scene.file, text, hash: "1", editable: true }),
    manifest_schema: () => ({}),
  };
}
