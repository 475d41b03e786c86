// The texts of a manifest that were replaced, by a save or by another program, so that an older one can be taken again.

const PREFIX = "norouter.history ";
/** The largest number of texts that are kept of a file, and the largest size of all of them in characters. */
const TEXTS_MAX = 20;
const SIZE_MAX = 400_000;

/** A text that was in the file until a moment, which is given in milliseconds since 1970. */
export type Replaced = { untilMs: number; text: string };

type Store = Pick<Storage, "getItem" | "setItem">;

/** The texts that were replaced, the last one first. */
export function history(path: string, store: Store): Replaced[] {
  try {
    const found: unknown = JSON.parse(store.getItem(PREFIX + path) ?? "[]");
    return Array.isArray(found) ? found.filter(isReplaced) : [];
  } catch {
    return [];
  }
}

/** Adds a text that was replaced just now, unless it is too large. A text that comes back is listed once. */
export function remember(path: string, text: string, nowMs: number, store: Store): void {
  if (text.length > SIZE_MAX) {
    return;
  }
  const texts = [{ untilMs: nowMs, text }, ...history(path, store).filter((one) => one.text !== text)].slice(0, TEXTS_MAX);
  while (texts.length > 1 && JSON.stringify(texts).length > SIZE_MAX) {
    texts.pop();
  }
  try {
    store.setItem(PREFIX + path, JSON.stringify(texts));
  } catch {
    // The storage may be full, which must not prevent saving.
  }
}

function isReplaced(one: unknown): one is Replaced {
  return typeof one === "object" && one !== null && "untilMs" in one && typeof one.untilMs === "number" && "text" in one && typeof one.text === "string";
}
