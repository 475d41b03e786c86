// The view of the network that the person has chosen. It is kept while another page is shown.
import type { Grouping } from "./groups";
import { type Column, firstDown } from "./sorting";
import type { Standing } from "./standings";
import type { Viewport } from "./viewport";

class View {
  kind = $state<"diagram" | "list">("diagram");
  filter = $state("");
  standing = $state<Standing>("all");
  grouping = $state<Grouping>("none");
  /** The keys of the groups that are folded. */
  folded = $state.raw<ReadonlySet<string>>(new Set());
  /** The part of the diagram that the person has chosen, and what was shown then. It counts for nothing else. */
  look = $state.raw<{ of: string; viewport: Viewport } | null>(null);
  /** The order of the list; `null` is the order of the manifest. */
  sort = $state.raw<{ column: Column; down: boolean } | null>(null);

  group(by: Grouping): void {
    this.grouping = by;
    this.folded = new Set();
  }

  fold(key: string): void {
    const folded = new Set(this.folded);
    if (!folded.delete(key)) {
      folded.add(key);
    }
    this.folded = folded;
  }

  /** Folds these groups; unfolds all if any is folded. */
  foldAll(keys: readonly string[]): void {
    this.folded = this.folded.size > 0 ? new Set() : new Set(keys);
  }

  /** Sorts by a column: first in the direction in which people look for it, then in the other one, then not at all. */
  sortBy(column: Column): void {
    const first = firstDown(column);
    const { sort } = this;
    if (sort?.column !== column) {
      this.sort = { column, down: first };
    } else {
      this.sort = sort.down === first ? { column, down: !first } : null;
    }
  }
}

export const view = new View();
