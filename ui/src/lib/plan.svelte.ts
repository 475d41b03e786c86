// The plan of the shown network, asked for again whenever it may be another one.
import { ipc } from "./ipc";
import { report, text } from "./report";
import { truth } from "./store.svelte";
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

  /** Follows the truth; called in the effect of a component that lives as long as the page. */
  follow(): void {
    const mine = ++this.#asked;
    void truth.state.planned;
    if (truth.network === null) {
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
