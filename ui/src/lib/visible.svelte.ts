// Whether somebody can see the window: what is only for looking at rests while nobody does.
import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  document.addEventListener("visibilitychange", update);
  return () => document.removeEventListener("visibilitychange", update);
});

/** Whoever reads it in an effect runs again when the window is hidden or shown. */
export function isVisible(): boolean {
  subscribe();
  return !document.hidden;
}
