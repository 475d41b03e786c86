// Consent to the commands of a manifest.
import type { Commands } from "./backend";
import type { ConsentDeed } from "../lib/types/ConsentDeed";
import type { ConsentHost } from "../lib/types/ConsentHost";
import type { World } from "./world";

const deeds: ConsentDeed[] = [
  { deed: { kind: "route", to: "10.20.0.0/16", via: "gke" }, isNew: true },
  { deed: { kind: "hostsFile", host: "web1" }, isNew: false },
];

export function consentCommands(world: World): Commands {
  if (new URLSearchParams(location.search).get("scene") === "consent") {
    world.app = { ...world.app, consent: { path: world.scene.file, digest: "sha256:c0ffee", hosts: world.commands(), deeds } };
  }
  // The file is written by somebody else while its commands are shown.
  window.addEventListener("mock:changed", () => {
    const [first, ...rest] = world.commands();
    const hosts = [{ ...(first as ConsentHost), command: ["ssh", "evil.example.com"], change: "changed" as const }, ...rest];
    world.tellApp({ consent: { path: world.scene.file, digest: "sha256:decaf", hosts, deeds } });
  });
  return {
    consent: ({ agree }) => {
      if (agree !== true) {
        world.tellApp({ consent: null });
        return;
      }
      const { name, file } = world.scene;
      world.tellApp({ consent: null, network: { name, manifest: file, hosted: true, phase: "running" } });
      world.begin();
      world.tell({ kind: "network", network: world.view() });
    },
  };
}
