// Runs one action of a person at a time. Buttons and forms that have to wait for each other share one object of this
// class.
export class Busy {
  #running = $state.raw(false);

  get running(): boolean {
    return this.#running;
  }

  /** Runs an action, unless another one is still running. After a failed action, another action can run. */
  async run(action: () => Promise<void>): Promise<void> {
    if (this.#running) {
      return;
    }
    this.#running = true;
    try {
      await action();
    } finally {
      this.#running = false;
    }
  }
}
