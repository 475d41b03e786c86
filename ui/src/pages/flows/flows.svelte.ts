// The state of the flows page. It is kept while another page is shown.
import { confirm } from "../../lib/confirm.svelte";
import type { Row } from "../../lib/flow";
import { parseFilter, toggleTerm } from "../../lib/flowFilter";
import * as flows from "../../lib/flows";
import { ipc } from "../../lib/ipc";
import { Poller } from "../../lib/poller";
import { codeOf, text } from "../../lib/report";
import { t } from "../../lib/strings";
import { act, toasts } from "../../lib/toasts.svelte";
import type { EndedFlowsView } from "../../lib/types/EndedFlowsView";
import type { FlowsView } from "../../lib/types/FlowsView";

/** The maximum number of open flows and of ended flows that are requested. */
const LIMIT = 10_000;
const RECENT_LIMIT = 1_000;
const EVERY_MS = 1_000;
/** How many flows are closed at the same time. */
const AT_ONCE = 16;
const KEPT = "norouter.flowFilters";

class FlowsModel {
  /** The network whose flows these are. */
  of = $state.raw<string | null>(null);
  table = $state.raw(flows.EMPTY);
  recent = $state.raw(flows.NONE_RECENT);
  /** The flows that are shown: those that are open, or those that have ended. */
  show = $state.raw<"live" | "recent">("live");
  /** Whether the first answer has arrived. */
  known = $state.raw(false);
  /** The reason why the last request has failed; `null` if it has not failed. */
  problem = $state.raw<string | null>(null);
  filterText = $state.raw("");
  sort = $state.raw<flows.Sort>({ column: "rateTo", down: true });
  recentSort = $state.raw<flows.RecentSort>({ column: "ended", down: true });
  paused = $state.raw(false);
  /** The position of each key while the rows keep their order; `null` while new values may reorder them. */
  order = $state.raw<ReadonlyMap<number, number> | null>(null);
  selected = $state.raw<number | null>(null);
  /** Whether the details of the selected flow are shown. */
  details = $state.raw(false);
  kept = $state.raw(readKept());

  readonly filter = $derived(parseFilter(this.filterText));
  readonly #sorted = $derived(
    this.show === "live" ? flows.select(this.table.rows, this.filter, this.sort) : flows.selectRecent(this.recent.rows, this.filter, this.recentSort),
  );
  readonly rows = $derived(flows.heldIn(this.#sorted, this.order));
  readonly closable = $derived(this.show === "live" ? flows.closable(this.rows) : []);
  readonly row = $derived(this.rows.find((row) => row.key === this.selected) ?? null);

  readonly #poller = new Poller<FlowsView | EndedFlowsView>(
    EVERY_MS,
    () => (this.show === "live" ? ipc.flows(LIMIT) : ipc.endedFlows(RECENT_LIMIT)),
    (view) => {
      if ("ended" in view) {
        this.recent = flows.mergeRecent(this.recent, view);
      } else {
        // While the rows do not move, ended flows keep their places, too.
        const keep = this.order === null ? flows.KEEP_CLOSED_MS : Number.POSITIVE_INFINITY;
        this.table = flows.merge(this.table, view, performance.now(), keep);
      }
      this.known = true;
      this.problem = null;
    },
    (error) => (this.problem = text(error)),
  );

  /** Shows the open flows or the ended flows. Requests them at once. */
  turn(show: "live" | "recent"): void {
    if (this.show !== show) {
      this.show = show;
      this.order = null;
      this.selected = null;
      this.known = (show === "live" ? this.table.rows : this.recent.rows).length > 0;
      this.problem = null;
      this.#poller.now();
    }
  }

  /** Keeps the rows in their order until `letGo` is called. */
  hold(): void {
    this.order ??= new Map(this.rows.map((row, at) => [row.key, at]));
  }

  letGo(): void {
    this.order = null;
  }

  /** Requests the flows every second until the returned function is called. */
  poll(): () => void {
    this.#poller.start();
    return () => this.#poller.stop();
  }

  /** Forgets the flows, because they belong to another network. */
  reset(of: string | null): void {
    if (of === null) {
      this.#poller.stop();
    }
    this.of = of;
    this.table = flows.EMPTY;
    this.recent = flows.NONE_RECENT;
    this.order = null;
    this.known = false;
    this.problem = null;
    this.selected = null;
  }

  toggle(term: string): void {
    this.filterText = toggleTerm(this.filterText, term);
  }

  move(by: number): void {
    this.selected = flows.moved(this.rows, this.selected, by)?.key ?? null;
  }

  keep(): void {
    const wanted = this.filterText.trim();
    if (wanted !== "" && !this.kept.includes(wanted)) {
      this.#setKept([...this.kept, wanted]);
    }
  }

  forget(filter: string): void {
    const before = this.kept;
    this.#setKept(before.filter((one) => one !== filter));
    toasts.undoable(t.shell.did.forgotFilter(filter), () => this.#setKept(before));
  }

  #setKept(kept: string[]): void {
    this.kept = kept;
    localStorage.setItem(KEPT, JSON.stringify(kept));
  }

  async close(row: Row): Promise<void> {
    if (row.closedAt === null) {
      await act(ipc.killFlow(row.flow.id), t.flows.closed(row.flow.name), t.flows.closeFailed);
      // The flows are requested at once. Even if the table is paused, the person then sees that the flow is closed.
      this.#poller.now();
    }
  }

  /** Closes the shown flows. Asks before, and says how many they are. */
  async closeShown(): Promise<void> {
    const rows = this.closable;
    const words = t.flows;
    const why = this.filterText.trim() === "" ? words.closeAll : words.closeFiltered(this.filterText.trim());
    if (!(await confirm.ask(words.closeTitle(rows.length), why, words.closeShown(rows.length)))) {
      return;
    }
    const left = rows.map((row) => row.flow.id);
    let failed = 0;
    const worker = async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        await ipc.killFlow(id).catch((error) => {
          // If the flow has already ended, nothing has failed: the person wanted it to end.
          failed += codeOf(error) === "noFlow" ? 0 : 1;
        });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (failed > 0) {
      toasts.error(words.someFailed(failed));
    } else {
      toasts.done(words.closedMany(rows.length));
    }
    this.#poller.now();
  }

}

function readKept(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? found.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}

export const flowsModel = new FlowsModel();
