// The question of a host that is open, at most one. The answer is never stored here while it is typed, since it may be
// a secret.
import { truth } from "./store.svelte";
import type { PromptView } from "./types/PromptView";

export type OpenPrompt = { host: string; prompt: PromptView };

class Asking {
  #at = $state.raw<{ host: string; id: number } | null>(null);

  /** The questions that wait, in the order of the hosts. */
  get waiting(): OpenPrompt[] {
    return truth.hosts.flatMap((host) => host.prompts.map((prompt) => ({ host: host.name, prompt })));
  }

  /** The question that is open; `null` once it was answered, here or elsewhere. */
  get current(): OpenPrompt | null {
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
