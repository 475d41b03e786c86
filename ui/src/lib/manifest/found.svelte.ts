// What was found on this machine and can become a host: names of ssh, containers, pods, instances. A search takes seconds,
// so the last result is shown until the next one arrives.
import { ipc } from "../ipc";
import type { ImportOffer } from "../types/ImportOffer";

class Found {
  offers = $state.raw<readonly ImportOffer[]>([]);
  looking = $state.raw(false);

  async look(): Promise<void> {
    if (!this.looking) {
      this.looking = true;
      // A search that fails finds nothing. The person can type everything.
      this.offers = await ipc.imports().catch(() => this.offers);
      this.looking = false;
    }
  }
}

export const found = new Found();
