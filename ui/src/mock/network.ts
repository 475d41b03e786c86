// The actions for a whole network, and the questions about it.
import type { News } from "../lib/types/News";
import type { WhyView } from "../lib/types/WhyView";
import type { Commands } from "./commands";
import { shown, type World } from "./world";

const DEMO = "/home/ada/.local/share/io.github.norouter.app/demo.yaml";

export function networkCommands(world: World): Commands {
  const begin = (hosted: boolean) => {
    world.tellApp({ network: shown(world.scene, hosted), consent: null, manifest: world.scene.file });
    world.begin();
    world.tell({ kind: "network", network: world.view() });
  };
  /** Shows another manifest. If the app runs a network, it keeps running. */
  const show = (path: string) => {
    world.hosts = [];
    world.tellApp({ manifest: path, network: null, consent: null });
  };
  const end = () => {
    world.hosts = [];
    world.tell({ kind: "ended" });
    world.tellApp({ network: null });
  };
  return {
    app: () => world.app,
    watch: ({ channel }) => world.watch((batch) => (channel as { onmessage: (batch: News[]) => void }).onmessage(batch)),
    logs: ({ host, limit }) => {
      const mine = world.lines.filter((line) => host === null || ("host" in line && line.host === host));
      return { last: world.lines.at(-1)?.seq ?? 0, lines: mine.slice(-Number(limit)) };
    },
    plan: () => {
      const marks = document.documentElement.dataset;
      marks["plans"] = String(Number(marks["plans"] ?? 0) + 1);
      return world.plan();
    },
    why: ({ target, from }) => why(world, String(target), from === null ? "laptop" : String(from)),
    start: () => {
      if (world.app.consent !== null) {
        throw "the commands of this manifest have not been approved";
      }
      begin(true);
    },
    stop: end,
    reload: () => {
      world.log({ type: "reloaded", changes: [], grants: [] });
      world.tellApp({ consent: world.waits });
    },
    attach: () => begin(false),
    detach: end,
    quit: () => undefined,
    open_manifest: ({ path }) => show(String(path)),
    open_dialog: () => show("/home/ada/another.yaml"),
    open_demo: () => {
      world.tellApp({ manifest: DEMO, consent: null });
      begin(true);
    },
    open_failed: () => null,
    create_example: () => world.tellApp({ manifest: world.scene.file }),
  };
}

function why(world: World, target: string, from: string): WhyView {
  const [name = ""] = target.split(":");
  const host = world.hosts.find((other) => other.name === name || other.vip === name);
  if (host === undefined) {
    return {
      target,
      from,
      steps: [
        { step: "name", outcome: "failed", text: `No host and no alias is called "${name}", and no route takes it.`, remedy: "Look at the names on the network page, or add a route for it to the manifest." },
        { step: "host", outcome: "skipped", text: "Nothing to look at without an address." },
      ],
    };
  }
  const up = host.state === "ready" || host.state === "degraded";
  return {
    target,
    from,
    steps: [
      { step: "name", outcome: "ok", text: `${name} is the host at ${host.vip}.`, tookUs: 40 },
      { step: "listener", outcome: "ok", text: `${from} listens on ${target.replace(name, host.vip)}.`, tookUs: 210 },
      up
        ? { step: "destination", outcome: "ok", text: `${host.name} is ${host.state}; its agent answered lately.`, tookUs: host.latencyUs }
        : { step: "destination", outcome: "failed", text: `${host.name} cannot be reached: ${host.reason ?? host.state}.`, remedy: "Open the page of the host and read its recent output." },
      up
        ? { step: "dial", outcome: "ok", text: `${host.name} dialled 127.0.0.1:80, which accepted.`, tookUs: 13_400 }
        : { step: "dial", outcome: "skipped", text: "Not tried, since the host cannot be reached." },
    ],
  };
}
