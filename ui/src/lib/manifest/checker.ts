// Requests a check of a text when the person stops typing for a moment. If several answers are outstanding, only the
// newest one counts.

/** How long the person must not type before the text is checked, in milliseconds. */
export const PAUSE_MS = 200;

export class Checker<T> {
  #newest = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly check: (text: string) => Promise<T>,
    private readonly done: (result: T, text: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Takes a new text. The first check of a text that was just opened need not wait. */
  ask(text: string, pauseMs = PAUSE_MS): void {
    this.stop();
    const number = this.#newest;
    this.#timer = setTimeout(() => void this.#run(text, number), pauseMs);
  }

  /** Checks a text at once. Returns null if the check fails, and undefined if a newer one was asked for meanwhile. */
  now(text: string): Promise<T | null | undefined> {
    this.stop();
    return this.#run(text, this.#newest);
  }

  /** Cancels the waiting check, and ignores answers that are still outstanding. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#newest += 1;
  }

  async #run(text: string, number: number): Promise<T | null | undefined> {
    try {
      const result = await this.check(text);
      if (number === this.#newest) {
        this.done(result, text);
        return result;
      }
    } catch (error) {
      if (number === this.#newest) {
        this.failed(error);
        return null;
      }
    }
    return undefined;
  }
}
