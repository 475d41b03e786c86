// The actions for one host. In the browser's console, `mockHosts.ask(host, text)` makes a host ask for a secret, and
// `mockHosts.change(host, state)` changes its state as the manager would.
import type { HostState } from "../lib/types/HostState";
import type { HostView } from "../lib/types/HostView";
import type { Commands } from "./commands";
import type { OpenPortView } from "../lib/types/OpenPortView";
import { troubled } from "./trouble";
import type { World } from "./world";

export type MockHosts = {
  ask: (host: string, text: string) => void;
  change: (host: string, state: HostState, more?: Partial<HostView>) => void;
  /** Starts a program that listens on a port of the host. */
  listen: (host: string, port: OpenPortView) => void;
  /** The answers that were sent. The page does not show them, because they may be secrets. */
  answered: string[];
};

export function hostCommands(world: World): Commands {
  let prompts = 100;
  const started = new Map<string, OpenPortView[]>();
  const usual: OpenPortView[] = [
    { address: "0.0.0.0:22", port: 22 },
    { address: "127.0.0.1:9100", port: 9100, program: "node_exporter", process: 733 },
  ];
  const mock: MockHosts = {
    ask: (host, text) => world.change(host, "needsYou", { prompts: [{ id: ++prompts, kind: "secret", text }] }),
    change: (host, state, more) => world.change(host, state, more),
    listen: (host, port) => started.set(host, [...(started.get(host) ?? []), port]),
    answered: [],
  };
  Object.assign(window, { mockHosts: mock });
  return {
    start_host: ({ host }) => world.change(world.host(host).name, "greeting"),
    stop_host: ({ host }) => world.change(world.host(host).name, "stopped", { latencyUs: undefined }),
    restart_host: ({ host }) => world.change(world.host(host).name, "greeting", { latencyUs: undefined }),
    open_ports: ({ host }) => {
      const name = String(host);
      const published = world.plan().hosts.find((one) => one.name === name)?.publishes ?? [];
      const ports = published.map(({ port, target }) => {
        const own = Number(target.slice(target.lastIndexOf(":") + 1));
        return { address: target, port: own, program: "server", process: 400 + own % 100, published: port };
      });
      const all: OpenPortView[] = [...usual, ...ports, ...(started.get(name) ?? [])];
      return { ports: all.sort((one, other) => one.port - other.port), more: 0 };
    },
    approve: ({ host }) => world.change(world.host(host).name, "greeting"),
    answer: ({ host, text }) => {
      mock.answered.push(String(text));
      if (text === null) {
        const question = world.host(host).prompts[0]?.text ?? "";
        world.change(world.host(host).name, "stopped", troubled({ code: "unanswered", what: `nobody has answered what its command asked: ${question}`, remedy: "start the host to be asked again" }));
      } else {
        world.change(world.host(host).name, "greeting");
      }
    },
  };
}
