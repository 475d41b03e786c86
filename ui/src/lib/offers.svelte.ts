// The hosts that were found on this machine, and those of them that a person has picked. A list of them is shown on the
// first page, and where hosts are added to a manifest.
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
  contexts = $state.raw<readonly string[]>([]);
  /** The context whose pods are in the list. */
  context = $state.raw<string | null>(null);
  /** Why pods are missing, if kubectl has failed. */
  note = $state.raw<string | null>(null);
  /** Whether a search is going on. */
  looking = $state.raw(false);
  readonly chosen: readonly ImportOffer[] = $derived((this.list ?? []).filter(({ id }) => this.picked.includes(id)));
  readonly matching: readonly ImportOffer[] = $derived((this.list ?? []).filter((offer) => says(offer).includes(this.query.trim().toLowerCase())));
  /** The context that the person has chosen; `null` for the present one of kubectl. */
  #wanted: string | null = null;
  #searches = 0;

  /**
   * Searches again, for the pods of another context if one is given. Only the last search counts. The offers that were
   * picked stay, also if they are pods of another context.
   */
  async look(context = this.#wanted): Promise<void> {
    this.#wanted = context;
    const search = ++this.#searches;
    this.looking = true;
    const found = await act(ipc.imports(context), null, words.failed);
    if (search !== this.#searches) {
      return;
    }
    this.looking = false;
    if (found === undefined) {
      this.list ??= [];
      return;
    }
    const ids = new Set(found.offers.map(({ id }) => id));
    this.list = [...found.offers, ...this.chosen.filter(({ id }) => !ids.has(id))];
    this.contexts = found.contexts;
    this.context = found.context;
    this.note = found.note;
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
