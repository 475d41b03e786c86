// Sends a request repeatedly until it is stopped. Only one request is sent at a time. Answers that arrive after the
// stop are ignored.

export class Poller<T> {
  #run = 0;
  #goesOn = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly everyMs: number,
    private readonly ask: () => Promise<T>,
    private readonly got: (answer: T) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(): void {
    this.stop();
    this.#goesOn = true;
    void this.#turn(this.#run);
  }

  /**
   * Sends a request now, and then continues as before. If the answer to the previous request is still outstanding, it
   * is ignored, because it is too old.
   */
  now(): void {
    const goesOn = this.#goesOn;
    this.stop();
    this.#goesOn = goesOn;
    void this.#turn(this.#run);
  }

  stop(): void {
    this.#goesOn = false;
    clearTimeout(this.#timer);
    this.#run += 1;
  }

  async #turn(run: number): Promise<void> {
    const began = performance.now();
    try {
      const answer = await this.ask();
      if (run === this.#run) {
        this.got(answer);
      }
    } catch (error) {
      if (run === this.#run) {
        this.failed(error);
      }
    }
    if (run === this.#run && this.#goesOn) {
      const left = Math.max(this.everyMs / 4, this.everyMs - (performance.now() - began));
      this.#timer = setTimeout(() => void this.#turn(run), left);
    }
  }
}
