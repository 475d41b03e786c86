// A checker asks for a check of a text once typing pauses. Of several answers under way only the newest counts.

/** Milliseconds without typing before a text is checked. */
export const PAUSE_MS = 200;

export class Checker<T> {
  #newest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly check: (text: string) => Promise<T>,
    private readonly done: (result: T, text: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Takes a new text. A text that was just opened need not wait for its first check. */
  ask(text: string, pauseMs = PAUSE_MS): void {
    this.stop();
    const number = this.#newest;
    this.#timer = setTimeout(() => void this.#run(text, number), pauseMs);
  }

  /** Drops the answers that are still under way. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#newest += 1;
  }

  async #run(text: string, number: number): Promise<void> {
    try {
      const result = await this.check(text);
      if (number === this.#newest) {
        this.done(result, text);
      }
    } catch (error) {
      if (number === this.#newest) {
        this.failed(error);
      }
    }
  }
}
