// Consent to the commands of a manifest.
import type { Commands } from "./backend";
import type { World } from "./world";

export function consentCommands(world: World): Commands {
  if (new URLSearchParams(location.search).get("scene") === "consent") {
    world.app = { ...world.app, consent: { path: world.scene.file, digest: "sha256:c0ffee", hosts: world.commands() } };
  }
  return {
    consent: ({ agree }) => {
      if (agree !== true) {
        world.tellApp({ consent: null, manifest: null });
        return;
      }
      const { name, file } = world.scene;
      world.tellApp({ consent: null, network: { name, manifest: file, hosted: true, phase: "running" } });
      world.begin();
      world.tell({ kind: "network", network: world.view() });
    },
  };
}
