// The plan of the shown network. It is requested again whenever it may have changed.
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

  /** Requests the plan of the shown network, or forgets the plan if no network is shown. */
  follow(shown: boolean): void {
    const mine = ++this.#asked;
    if (!shown) {
      this.view = null;
      return;
    }
    ipc.plan().then(
      (view) => {
        // The answer to an earlier request is ignored.
        if (mine === this.#asked) {
          this.view = view;
        }
      },
      (error: unknown) => report(`plan: ${text(error)}`),
    );
  }
}

export const plan = new Plan();
