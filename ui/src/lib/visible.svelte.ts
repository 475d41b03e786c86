// Tells whether the window is visible. Work for what is visible can then pause while the window is hidden.
import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  document.addEventListener("visibilitychange", update);
  return () => document.removeEventListener("visibilitychange", update);
});

/** Whether the window is visible. An effect that calls this runs again when the window is hidden or shown. */
export function isVisible(): boolean {
  subscribe();
  return !document.hidden;
}
