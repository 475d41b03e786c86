// The hosts that were found on this machine, and those of them that a person has picked. A list of them is shown on the
// first page, and where hosts are added to a manifest.
import { Busy } from "./busy.svelte";
import { ipc } from "./ipc";
import { t } from "./strings";
import { act } from "./toasts.svelte";
import type { ImportOffer } from "./types/ImportOffer";

const words = t.welcome.imports;

export class Offers {
  /** All offers; `null` until they are known. */
  list = $state.raw<ImportOffer[] | null>(null);
  /** The ids of the picked offers. */
  picked = $state<string[]>([]);
  /** The text that a person searches for. */
  query = $state("");
  /** The contexts of kubectl. */
  contexts = $state.raw<string[]>([]);
  /** The context whose pods are in the list. */
  context = $state.raw<string | null>(null);
  /** Why there are no pods, if kubectl has failed. */
  note = $state.raw<string | null>(null);
  /** Whether a search is going on. */
  readonly busy = new Busy();
  readonly chosen: readonly ImportOffer[] = $derived((this.list ?? []).filter(({ id }) => this.picked.includes(id)));
  readonly matching: readonly ImportOffer[] = $derived((this.list ?? []).filter((offer) => says(offer).includes(this.query.trim().toLowerCase())));

  /** Searches again. The offers that were picked stay, also if they are pods of another context. */
  look(context = this.context): Promise<void> {
    return this.busy.run(async () => {
      const found = await act(ipc.imports(context), null, words.failed);
      if (found === undefined) {
        this.list ??= [];
        return;
      }
      const ids = new Set(found.offers.map(({ id }) => id));
      this.list = [...found.offers, ...this.chosen.filter(({ id }) => !ids.has(id))];
      this.contexts = found.contexts;
      this.context = context ?? found.contexts[0] ?? null;
      this.note = found.note;
    });
  }
}

/** What is proposed while a host is drawn. A search takes seconds, so the last result is shown until the next one arrives. */
export const found = new Offers();

/** The word for the source of an offer. */
export function kindOf({ kind }: ImportOffer): string {
  return words.kinds[kind] ?? kind;
}

/** Everything that a search can find in an offer. */
function says(offer: ImportOffer): string {
  return [offer.name, kindOf(offer), offer.detail, offer.unusable ?? ""].join(" ").toLowerCase();
}
