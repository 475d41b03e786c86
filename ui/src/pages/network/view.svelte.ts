// The view of the network that the person has chosen. It is kept while another page is shown.
import type { Look } from "../../lib/diagram/viewport";
import type { Grouping } from "./groups";
import { type Column, firstDown } from "./sorting";
import type { Standing } from "./standings";

class View {
  kind = $state<"diagram" | "list">("diagram");
  filter = $state("");
  standing = $state<Standing>("all");
  grouping = $state<Grouping>("none");
  /** The keys of the groups that are folded. */
  folded = $state.raw<ReadonlySet<string>>(new Set());
  /**
   * The part of the diagram that the person has chosen, and what was shown then. The part is ignored while something
   * else is shown.
   */
  look = $state.raw<Look | null>(null);
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

  /** Folds these groups. If any group is folded, unfolds all of them instead. */
  foldAll(keys: readonly string[]): void {
    this.folded = this.folded.size > 0 ? new Set() : new Set(keys);
  }

  /**
   * Sorts by a column. The first click sorts in the direction that suits the column, the second click sorts in the
   * other direction, and the third click ends the sorting.
   */
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
