// Keys: what they are called on this system, and whether a key press is meant for a field.
import type { Platform } from "./types/Platform";

/** The key of the system's own shortcuts. */
export function modKey(platform: Platform | undefined): string {
  return platform === "macos" ? "⌘" : "Ctrl";
}

export function hasMod(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey;
}

/** Whether what is typed belongs to a field, an editor or a menu. */
export function inField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog") !== null;
}
