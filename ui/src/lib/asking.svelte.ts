// The open talk about a host's question. At most one talk is open. It stays open until the person leaves it, even if
// its question disappears. Otherwise the rest of a secret that is being typed would land in another field.
import { pauseShortcuts } from "./keys";
import { truth } from "./store.svelte";
import { begin, follow, notSent, sent, type Talk } from "./talk";
import type { PromptView } from "./types/PromptView";

export type OpenPrompt = { host: string; prompt: PromptView };

class Asking {
  talk = $state.raw<Talk | null>(null);

  /** The questions that wait, in the order of the hosts. */
  get waiting(): OpenPrompt[] {
    return truth.hosts.flatMap((host) => host.prompts.map((prompt) => ({ host: host.name, prompt })));
  }

  /** The first waiting question that is not the subject of the open talk. */
  get other(): OpenPrompt | null {
    return this.waiting.find((asked) => asked.prompt.id !== this.talk?.prompt.id) ?? null;
  }

  open(host: string, id: number): void {
    const asked = this.waiting.find((each) => each.host === host && each.prompt.id === id);
    this.talk = asked === undefined ? null : begin(host, asked.prompt);
  }

  sent(): void {
    this.talk = this.talk && sent(this.talk);
  }

  notSent(): void {
    this.talk = this.talk && notSent(this.talk);
  }

  /** Brings the talk up to date with its host. `isEmpty` says that nothing was typed. */
  follow(isEmpty: boolean): void {
    if (this.talk !== null) {
      this.talk = follow(this.talk, truth.host(this.talk.host), isEmpty);
    }
  }

  close(): void {
    this.talk = null;
    pauseShortcuts();
  }
}

export const asking = new Asking();
