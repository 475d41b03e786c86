// A component whose code is loaded when it is needed first, so that the first page does not wait for the code of all
// others.
import type { Component } from "svelte";

import { report, text } from "./report";

export class Lazy<P extends Record<string, unknown> = Record<string, never>> {
  #component = $state.raw<Component<P> | null>(null);
  #loading: Promise<void> | null = null;

  constructor(private readonly code: () => Promise<{ default: Component<P> }>) {}

  /** The component; `null` until its code has been loaded, which this begins. */
  get component(): Component<P> | null {
    void this.load();
    return this.#component;
  }

  load(): Promise<void> {
    this.#loading ??= this.code().then(
      (code) => {
        this.#component = code.default;
      },
      (error: unknown) => {
        this.#loading = null;
        report(text(error));
      },
    );
    return this.#loading;
  }
}
