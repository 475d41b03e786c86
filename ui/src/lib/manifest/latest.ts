// Asks the back end about a text that changes often. At most one question is under way, and the next question is about
// the newest text. The person never has to wait for an answer.

export class Latest<T> {
  #asking = false;
  #next: string | null = null;

  constructor(
    private readonly ask: (text: string) => Promise<T>,
    private readonly done: (answer: T, text: string) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Takes a new text. Questions about older texts that have not been asked are dropped. */
  about(text: string): void {
    this.#next = text;
    if (!this.#asking) {
      void this.#run();
    }
  }

  async #run(): Promise<void> {
    this.#asking = true;
    while (this.#next !== null) {
      const text = this.#next;
      this.#next = null;
      try {
        this.done(await this.ask(text), text);
      } catch (error) {
        this.failed(error);
      }
    }
    this.#asking = false;
  }
}
