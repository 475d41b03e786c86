// Keys have different names on different systems, and a key press may be meant for an input field and not for the page.
import type { Platform } from "./types/Platform";

/** The name of the modifier key for the system's usual shortcuts. */
export function modKey(platform: Platform | undefined): string {
  return platform === "macos" ? "⌘" : "Ctrl";
}

export function hasMod(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey;
}

/** Whether a key press is meant for an input field, an editor or a dialog. */
export function inField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog") !== null;
}
