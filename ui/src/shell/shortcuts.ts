// Keyboard shortcuts that work on every page.
import { intents } from "../lib/intents";
import { hasMod, inField } from "../lib/keys";
import { overlay } from "../lib/overlay.svelte";
import { router, type Page } from "../lib/router.svelte";
import { truth } from "../lib/store.svelte";

export const PAGE_KEYS: Record<string, Page> = { "1": "network", "2": "flows", "3": "log", "4": "manifest", "5": "policy", ",": "settings" };

export function globalKeys(event: KeyboardEvent): void {
  if (run(event)) {
    event.preventDefault();
  }
}

/**
 * Performs the shortcut of a key. Returns whether the key is a shortcut. An open dialog gets all keys except the one
 * for the palette.
 */
function run(event: KeyboardEvent): boolean {
  const key = event.key.toLowerCase();
  if (hasMod(event) && key === "k") {
    if (overlay.sheet === "palette") {
      overlay.close();
    } else if (document.querySelector("dialog[open]") === null) {
      overlay.open("palette");
    }
    return true;
  }
  if (document.querySelector("dialog[open]") !== null) {
    return false;
  }
  if (hasMod(event)) {
    const page = PAGE_KEYS[key];
    if (page !== undefined) {
      router.go(page);
      return true;
    }
    if (key === "r" && event.shiftKey && truth.network !== null) {
      void intents.reload();
      return true;
    }
    return false;
  }
  if (event.key === "?" && !inField(event.target)) {
    overlay.open("shortcuts");
    return true;
  }
  return false;
}
