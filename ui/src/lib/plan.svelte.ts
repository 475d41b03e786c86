// The plan of the shown network. It is asked for again whenever it may have changed.
import { ipc } from "./ipc";
import { report, text } from "./report";
import type { PlanHost } from "./types/PlanHost";
import type { PlanRoute } from "./types/PlanRoute";
import type { PlanView } from "./types/PlanView";

class Plan {
  view = $state.raw<PlanView | null>(null);
  #asked = 0;

  get routes(): PlanRoute[] {
    return this.view?.routes ?? [];
  }

  host(name: string): PlanHost | undefined {
    return this.view?.hosts.find((host) => host.name === name);
  }

  /** Asks for the plan of a network, or forgets it where none is shown. */
  follow(shown: boolean): void {
    const mine = ++this.#asked;
    if (!shown) {
      this.view = null;
      return;
    }
    ipc.plan().then(
      (view) => {
        // A late answer to an earlier question is not news.
        if (mine === this.#asked) {
          this.view = view;
        }
      },
      (error: unknown) => report(`plan: ${text(error)}`),
    );
  }
}

export const plan = new Plan();
