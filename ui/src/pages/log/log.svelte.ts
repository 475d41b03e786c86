// The state of the log page. It is kept while another page is shown.
import { came, FOLLOWING, Log, type LogFilter, nextHit, scrolled, searchFor } from "../../lib/log";
import { MAX_LINES } from "../../lib/truth";
import type { LogLine } from "../../lib/types/LogLine";

type Options = { regex: boolean; matchCase: boolean; onlyHits: boolean };

class LogModel {
  readonly log = new Log(MAX_LINES);
  /** A number that grows with each change of the shown lines. There are too many lines to observe each of them. */
  version = $state.raw(0);
  host = $state.raw<LogFilter["host"]>(null);
  level = $state.raw<LogFilter["level"]>("output");
  query = $state.raw("");
  options = $state.raw<Options>({ regex: false, matchCase: false, onlyHits: false });
  times = $state.raw(true);
  fold = $state.raw(true);
  wrap = $state.raw(false);
  follow = $state.raw(FOLLOWING);
  /** The number of the line with the current hit. */
  current = $state.raw<number | null>(null);

  readonly #search = $derived(searchFor(this.query, this.options.regex, this.options.matchCase));
  readonly problem = $derived(this.#search !== null && "problem" in this.#search ? this.#search.problem : null);
  readonly search = $derived(this.#search instanceof RegExp ? this.#search : null);

  take(lines: readonly LogLine[]): void {
    const before = [this.log.total, this.log.last];
    const added = this.log.take(lines);
    if (added > 0 || this.log.total !== before[0] || this.log.last !== before[1]) {
      this.follow = came(this.follow, added);
      this.version += 1;
    }
  }

  /** Applies the present settings of the filter. */
  apply(): void {
    this.log.filter({ host: this.host, level: this.level, search: this.search, onlyHits: this.options.onlyHits, fold: this.fold });
    this.version += 1;
  }

  scrolled(atEnd: boolean): void {
    this.follow = scrolled(this.follow, atEnd);
  }

  followAgain(): void {
    this.follow = FOLLOWING;
  }

  clear(): void {
    this.log.clear();
    this.follow = FOLLOWING;
    this.version += 1;
  }

  restore(): void {
    this.log.restore();
    this.version += 1;
  }

  showAll(): void {
    this.host = null;
    this.level = "output";
    this.query = "";
  }

  /** The index of the current hit, from 0; -1 if there is none. */
  get hit(): number {
    void this.version;
    return this.current === null ? -1 : this.log.found.findIndex((at) => this.log.shown[at]?.seq === this.current);
  }

  /**
   * Goes to the next hit, or with `back` to the one before. It starts at the current hit, or at the visible line
   * `inSight` if there is none. Returns the line of the hit.
   */
  go(back: boolean, inSight: number): number | null {
    const from = this.log.found[this.hit] ?? (back ? inSight : inSight - 1);
    const line = this.log.found[nextHit(this.log.found, from, back)];
    if (line === undefined) {
      return null;
    }
    this.current = this.log.shown[line]?.seq ?? null;
    return line;
  }
}

export const logModel = new LogModel();
