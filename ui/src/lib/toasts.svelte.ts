// Toasts are short messages about the last action. A toast disappears after a while, but not while the person points at
// the toasts or has the focus in them. An error also disappears when it is no longer true.
import { text } from "./report";

export type Toast = {
  id: number;
  tone: "done" | "error";
  message: string;
  detail: string | null;
  /** Undoes the action; `null` if that is impossible. */
  undo: (() => unknown) | null;
  /** The time of the page's clock at which the toast appeared. */
  at: number;
};

const STAY_MS = { done: 4000, undo: 9000, error: 20_000 };
const MOST = 4;
/** The news about the state of the app may arrive this much later than an error about that state. */
const LATE_MS = 1500;

class Toasts {
  list = $state.raw<Toast[]>([]);
  #next = 1;
  #held = false;
  readonly #timers = new Map<number, ReturnType<typeof setTimeout>>();
  readonly #over = new Map<number, () => unknown>();

  done(message: string): void {
    this.#add("done", message, null, null);
  }

  /**
   * Says what was done, with a button that undoes it. `over` is called if the toast disappears and nothing was undone.
   */
  undoable(message: string, undo: () => unknown, over?: () => unknown): void {
    const id = this.#add("done", message, null, undo);
    if (over !== undefined) {
      this.#over.set(id, over);
    }
  }

  error(message: string, detail: string | null = null): void {
    this.#add("error", message, detail, null);
  }

  /** Removes the error of an action that has now succeeded. */
  settle(message: string): void {
    this.#remove((toast) => toast.message === message);
  }

  /** Removes the errors that are no longer true, because the network has changed since they appeared. */
  settleAll(): void {
    this.#remove((toast) => performance.now() - toast.at > LATE_MS);
  }

  undo(toast: Toast): void {
    this.#over.delete(toast.id);
    this.close(toast.id);
    toast.undo?.();
  }

  close(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.list = this.list.filter((toast) => toast.id !== id);
    // The pointer or the focus may have been in the toast that is gone. There is no event that says that it has left.
    this.#held = this.#held && this.list.length > 0;
    const over = this.#over.get(id);
    this.#over.delete(id);
    over?.();
  }

  /** Keeps all toasts while the person reads them. */
  hold(held: boolean): void {
    this.#held = held;
    this.#timers.forEach(clearTimeout);
    this.#timers.clear();
    if (!held) {
      this.list.forEach((toast) => this.#count(toast));
    }
  }

  /** Closes all toasts, because the page is about to be closed. */
  end(): void {
    this.list.forEach((toast) => this.close(toast.id));
  }

  #remove(which: (toast: Toast) => boolean): void {
    this.list.filter((toast) => toast.tone === "error" && which(toast)).forEach(({ id }) => this.close(id));
  }

  #add(tone: Toast["tone"], message: string, detail: string | null, undo: Toast["undo"]): number {
    const toast = { id: this.#next++, tone, message, detail, undo, at: performance.now() };
    const same = this.list.find((other) => other.message === message);
    if (same !== undefined) {
      this.close(same.id);
    }
    this.list = [...this.list, toast];
    this.list.slice(0, -MOST).forEach((old) => this.close(old.id));
    if (!this.#held) {
      this.#count(toast);
    }
    return toast.id;
  }

  #count({ id, tone, undo }: Toast): void {
    this.#timers.set(id, setTimeout(() => this.close(id), STAY_MS[undo === null ? tone : "undo"]));
  }
}

export const toasts = new Toasts();

/** Waits for an action of a person and shows its result. Returns `undefined` if the action failed. */
export async function act<T>(doing: Promise<T>, done: string | null, failed: string): Promise<T | undefined> {
  try {
    const result = await doing;
    toasts.settle(failed);
    if (done !== null) {
      toasts.done(done);
    }
    return result;
  } catch (error) {
    toasts.error(failed, text(error));
    return undefined;
  }
}

/** Like `act`, with a button that undoes the action. */
export async function actUndoable(doing: Promise<unknown>, done: string, undo: () => unknown, failed: string): Promise<boolean> {
  const succeeded = (await act(doing.then(() => true), null, failed)) === true;
  if (succeeded) {
    toasts.undoable(done, undo);
  }
  return succeeded;
}
