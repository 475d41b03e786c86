// The test of one host, as the back end reports it. The last test stays visible until the next one begins.
import { ipc } from "../ipc";
import { text as reasonOf } from "../report";
import type { InstallView } from "../types/InstallView";
import type { PromptView } from "../types/PromptView";
import type { TestConsent } from "../types/TestConsent";
import type { TrialNews } from "../types/TrialNews";

type Line = Extract<TrialNews, { type: "step" | "said" | "remark" }>;
type Over = Extract<TrialNews, { type: "over" }>;
type Of = { host: string; text: string };

/** The maximum number of lines that are shown of a test. A command that writes without end must not fill the page. */
const LINES_MAX = 200;

export class HostTests {
  /** The host that is tested or was tested last, and the text in which it is; null before the first test. */
  of = $state.raw<Of | null>(null);
  running = $state.raw(false);
  stopping = $state.raw(false);
  lines = $state.raw<Line[]>([]);
  install = $state.raw<InstallView | null>(null);
  prompts = $state.raw<PromptView[]>([]);
  over = $state.raw<Over | null>(null);
  /** The question whether the person approves the command, which comes before the test; null if nothing is asked. */
  consent = $state.raw<TestConsent | null>(null);
  /** Why the test could not be run. */
  problem = $state.raw<string | null>(null);
  #asked: Of | null = null;
  /** The number that the back end has given the test; null before the back end has answered. */
  #id: number | null = null;
  /** The number of tests so far, so that news of an earlier test is not taken for news of the present one. */
  #run = 0;

  run(text: string, host: string): Promise<void> {
    return this.#begin({ host, text }, null);
  }

  agree(): Promise<void> {
    const { consent } = this;
    this.consent = null;
    return consent === null || this.#asked === null ? Promise.resolve() : this.#begin(this.#asked, consent.digest);
  }

  decline(): void {
    this.consent = null;
  }

  async #begin(of: Of, digest: string | null): Promise<void> {
    this.#run += 1;
    const run = this.#run;
    this.#id = null;
    this.running = true;
    this.stopping = false;
    this.problem = null;
    try {
      const begun = await ipc.testHost(of.text, of.host, digest, (news) => run === this.#run && this.#hear(of, news));
      if (run !== this.#run) {
        if (begun.kind === "begun") {
          void ipc.testEnd(begun.id).catch(() => undefined);
        }
        return;
      }
      if (begun.kind === "asks") {
        this.running = false;
        this.consent = begun.consent;
        this.#asked = of;
        return;
      }
      this.#id = begun.id;
      if (this.of !== of) {
        this.#clear(of);
      }
      if (this.stopping) {
        void this.stop();
      }
    } catch (error) {
      if (run === this.#run) {
        this.running = false;
        this.problem = reasonOf(error);
      }
    }
  }

  #clear(of: Of): void {
    this.of = of;
    this.lines = [];
    this.install = null;
    this.prompts = [];
    this.over = null;
  }

  #hear(of: Of, news: TrialNews): void {
    if (this.of !== of) {
      this.#clear(of);
    }
    switch (news.type) {
      case "install":
        this.install = news.install;
        break;
      case "asks":
        this.prompts = news.prompts;
        break;
      case "over":
        this.over = news;
        this.running = false;
        this.stopping = false;
        this.install = null;
        this.prompts = [];
        break;
      default:
        this.install = null;
        this.lines = [...this.lines, news].slice(-LINES_MAX);
    }
  }

  /** Answers the first open question; null is a refusal. */
  async answer(reply: string | null): Promise<void> {
    const [prompt, ...others] = this.prompts;
    if (prompt === undefined || this.#id === null) {
      return;
    }
    this.prompts = others;
    try {
      await ipc.testAnswer(this.#id, prompt.id, reply);
    } catch (error) {
      this.problem = reasonOf(error);
    }
  }

  async stop(): Promise<void> {
    if (!this.running) {
      return;
    }
    this.stopping = true;
    if (this.#id !== null) {
      // The test may have ended by itself a moment ago.
      await ipc.testEnd(this.#id).catch(() => undefined);
    }
  }
}
