// Stores a value for each diagram, such as the places of its hosts, so that the value survives a restart of the app. If
// there are too many diagrams, the values that have not changed for the longest time are dropped.

export class Kept<T extends object> {
  readonly #key: string;
  /** The maximum number of diagrams for which a value is stored. */
  readonly #most: number;
  readonly #store: Storage;

  constructor(key: string, most: number, store: Storage = localStorage) {
    this.#key = key;
    this.#most = most;
    this.#store = store;
  }

  /** The value that was stored last for a diagram; `undefined` if the diagram is new. */
  recall(diagram: string): T | undefined {
    return this.#read()[diagram];
  }

  remember(diagram: string, value: T): void {
    const { [diagram]: before, ...others } = this.#read();
    if (JSON.stringify(before) !== JSON.stringify(value)) {
      const kept = [...Object.entries(others), [diagram, value]].slice(-this.#most);
      this.#store.setItem(this.#key, JSON.stringify(Object.fromEntries(kept)));
    }
  }

  #read(): Record<string, T> {
    try {
      const found: unknown = JSON.parse(this.#store.getItem(this.#key) ?? "{}");
      return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, T>) : {};
    } catch {
      return {};
    }
  }
}
