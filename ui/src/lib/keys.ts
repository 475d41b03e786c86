// The names of keys on different systems, and the decision whether a key press is meant for the page or for an input
// field.
import type { Platform } from "./types/Platform";

/** After a prompt was closed, single letters do not count as shortcuts for this long. */
const PAUSE_MS = 2000;

let pausedUntil = 0;

/** The name of the modifier key that the usual shortcuts of the system have. */
export function modKey(platform: Platform | undefined): string {
  return platform === "macos" ? "⌘" : "Ctrl";
}

export function hasMod(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey;
}

/** Pauses the shortcuts that are single letters, because the person may still be typing an answer. */
export function pauseShortcuts(): void {
  pausedUntil = performance.now() + PAUSE_MS;
}

/**
 * Whether a key press is not meant for the page: it may be for an input field, an editor or an open dialog, or may be
 * the rest of an answer to a prompt that was just closed. An open dialog gets all keys, even if none of its controls
 * has the focus.
 */
export function inField(target: EventTarget | null): boolean {
  const isPaused = performance.now() < pausedUntil;
  return isPaused || document.querySelector("dialog[open]") !== null || (target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null);
}
