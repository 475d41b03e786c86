// Keys have different names on different systems, and a key press may be meant for an input field and not for the page.
import type { Platform } from "./types/Platform";

/** How long single letters are not taken for shortcuts after a prompt was closed. */
const PAUSE_MS = 2000;

let pausedUntil = 0;

/** The name of the modifier key for the system's usual shortcuts. */
export function modKey(platform: Platform | undefined): string {
  return platform === "macos" ? "⌘" : "Ctrl";
}

export function hasMod(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey;
}

/** Pauses the shortcuts that are single letters, because a person may still be typing an answer. */
export function pauseShortcuts(): void {
  pausedUntil = performance.now() + PAUSE_MS;
}

/**
 * Whether a key press is meant for an input field, an editor or an open dialog, or may be the rest of an answer to a
 * prompt that was just closed. A dialog gets all keys, even if none of its controls has the focus.
 */
export function inField(target: EventTarget | null): boolean {
  const isPaused = performance.now() < pausedUntil;
  return isPaused || document.querySelector("dialog[open]") !== null || (target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null);
}
