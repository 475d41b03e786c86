// The store has the state of the page, which `truth.ts` computes, and the manager's clock for countdowns and ages.
import { ipc } from "./ipc";
import { nothing, reduceAll, type State } from "./truth";
import type { HostView } from "./types/HostView";
import type { News } from "./types/News";

class Truth {
  state = $state.raw<State>(nothing);
  readonly #byName = $derived(new Map(this.state.hosts.map((host) => [host.name, host])));
  /** The time of the page's clock at the moment of `network.nowMs` on the manager's clock. */
  #heardAt = $state.raw(0);
  #waiting: { when: () => boolean; go: () => void }[] = [];

  get app() {
    return this.state.app;
  }

  get network() {
    return this.state.network;
  }

  get hosts() {
    return this.state.hosts;
  }

  host(name: string): HostView | undefined {
    return this.#byName.get(name);
  }

  hear(batch: News[]): void {
    const before = this.state.network?.nowMs;
    this.state = reduceAll(this.state, batch);
    if (this.state.network?.nowMs !== before) {
      this.#heardAt = performance.now();
    }
    this.#waiting = this.#waiting.filter(({ when, go }) => !when() || go());
  }

  /** Waits until the news make a condition true. */
  until(when: () => boolean): Promise<void> {
    return when() ? Promise.resolve() : new Promise((go) => this.#waiting.push({ when, go }));
  }

  /** Converts a time of the page's clock into a time of the manager's clock. */
  managerMs(pageMs: number): number {
    return (this.state.network?.nowMs ?? 0) + Math.max(0, pageMs - this.#heardAt);
  }
}

export const truth = new Truth();

/** Begins to receive news. Each batch is passed on when the state contains it. Must be called only once. */
export function listen(then: (batch: News[]) => void): Promise<void> {
  return ipc.watch((batch) => {
    truth.hear(batch);
    then(batch);
  });
}
