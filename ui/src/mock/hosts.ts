// The actions for one host. `mockHosts.ask(host, text)` in the browser's console lets a host ask for a secret, and
// `mockHosts.change(host, state)` changes its state as the manager would.
import type { HostState } from "../lib/types/HostState";
import type { HostView } from "../lib/types/HostView";
import type { Commands } from "./commands";
import { troubled } from "./trouble";
import type { World } from "./world";

export type MockHosts = {
  ask: (host: string, text: string) => void;
  change: (host: string, state: HostState, more?: Partial<HostView>) => void;
  /** The answers that were sent. They are not in the page, since they may be secrets. */
  answered: string[];
};

export function hostCommands(world: World): Commands {
  let prompts = 100;
  const mock: MockHosts = {
    ask: (host, text) => world.change(host, "needsYou", { prompts: [{ id: ++prompts, kind: "secret", text }] }),
    change: (host, state, more) => world.change(host, state, more),
    answered: [],
  };
  Object.assign(window, { mockHosts: mock });
  return {
    start_host: ({ host }) => world.change(world.host(host).name, "greeting"),
    stop_host: ({ host }) => world.change(world.host(host).name, "stopped", { latencyUs: undefined }),
    restart_host: ({ host }) => world.change(world.host(host).name, "greeting", { latencyUs: undefined }),
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
