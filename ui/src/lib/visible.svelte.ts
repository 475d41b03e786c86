// Work that only serves the eye rests while the window is hidden.
import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  document.addEventListener("visibilitychange", update);
  return () => document.removeEventListener("visibilitychange", update);
});

/** An effect that reads it runs again when the window is hidden or shown. */
export function isVisible(): boolean {
  subscribe();
  return !document.hidden;
}
