// Toasts are short messages about the last action. Errors stay until they are closed; other toasts disappear after a
// while.
import { text } from "./report";

export type Toast = { id: number; tone: "done" | "error"; message: string; detail: string | null };

const STAY_MS = 4000;
const MOST = 4;

class Toasts {
  list = $state.raw<Toast[]>([]);
  #next = 1;

  done(message: string): void {
    const id = this.#add("done", message, null);
    setTimeout(() => this.close(id), STAY_MS);
  }

  error(message: string, detail: string | null = null): void {
    this.#add("error", message, detail);
  }

  close(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }

  #add(tone: Toast["tone"], message: string, detail: string | null): number {
    const id = this.#next++;
    const others = this.list.filter((toast) => toast.message !== message);
    this.list = [...others.slice(1 - MOST), { id, tone, message, detail }];
    return id;
  }
}

export const toasts = new Toasts();

/** Waits for an action of a person and shows its result. Returns `undefined` if the action failed. */
export async function act<T>(doing: Promise<T>, done: string | null, failed: string): Promise<T | undefined> {
  try {
    const result = await doing;
    if (done !== null) {
      toasts.done(done);
    }
    return result;
  } catch (error) {
    toasts.error(failed, text(error));
    return undefined;
  }
}
