// Keys have other names on other systems, and a key press may be meant for a field and not for the page.
import type { Platform } from "./types/Platform";

/** The name of the key that begins the system's own shortcuts. */
export function modKey(platform: Platform | undefined): string {
  return platform === "macos" ? "⌘" : "Ctrl";
}

export function hasMod(event: KeyboardEvent): boolean {
  return (event.ctrlKey || event.metaKey) && !event.altKey;
}

/** Whether a key press belongs to a field, an editor or a dialog. */
export function inField(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable], dialog") !== null;
}
