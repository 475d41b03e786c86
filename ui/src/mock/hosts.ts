// The actions for one host.
import type { Commands } from "./commands";
import { troubled } from "./trouble";
import type { World } from "./world";

export function hostCommands(world: World): Commands {
  return {
    start_host: ({ host }) => world.change(world.host(host).name, "greeting"),
    stop_host: ({ host }) => world.change(world.host(host).name, "stopped", { latencyUs: undefined }),
    restart_host: ({ host }) => world.change(world.host(host).name, "greeting", { latencyUs: undefined }),
    approve: ({ host }) => world.change(world.host(host).name, "greeting"),
    answer: ({ host, text }) =>
      text === null
        ? world.change(world.host(host).name, "stopped", troubled({ code: "unanswered", what: "its question was not answered" }))
        : world.change(world.host(host).name, "greeting"),
  };
}
