// A value that counts as changed only if its content has changed.

/**
 * A value that is computed from reactive state, and consists of plain data. Whatever depends on `now` is computed again
 * only if the content of the value has changed, not whenever the state has changed.
 */
export class Steady<T> {
  readonly #read: () => T;
  // Texts are compared by value.
  readonly #text = $derived.by(() => JSON.stringify(this.#read()));
  readonly now = $derived.by(() => JSON.parse(this.#text) as T);

  constructor(read: () => T) {
    this.#read = read;
  }
}
