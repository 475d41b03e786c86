// Which question of a host is open. What is typed as the answer is never kept here.
import { truth } from "./store.svelte";
import type { PromptView } from "./types/PromptView";

export type Asked = { host: string; prompt: PromptView };

class Asking {
  #at = $state.raw<{ host: string; id: number } | null>(null);

  /** All questions that wait, in the order of the hosts. */
  get waiting(): Asked[] {
    return truth.hosts.flatMap((host) => host.prompts.map((prompt) => ({ host: host.name, prompt })));
  }

  /** The question that is open; `null` once it has gone, whoever answered it. */
  get current(): Asked | null {
    const at = this.#at;
    return at === null ? null : (this.waiting.find((asked) => asked.host === at.host && asked.prompt.id === at.id) ?? null);
  }

  open(host: string, id: number): void {
    this.#at = { host, id };
  }

  close(): void {
    this.#at = null;
  }
}

export const asking = new Asking();
