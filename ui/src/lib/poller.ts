// A poller asks again and again until it is stopped. It asks one question at a time, and drops answers that come after its end.

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

  /** Asks now, and goes on as before. An answer that is still under way is dropped, since it is too old. */
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
