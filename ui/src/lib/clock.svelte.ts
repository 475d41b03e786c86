// The clock ticks once a second, and only while something on the screen counts: an age or a countdown.
import { createSubscriber } from "svelte/reactivity";

const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    if (!document.hidden) {
      update();
    }
  }, 1000);
  return () => clearInterval(timer);
});

/** The page's clock in milliseconds. A component that reads it is rendered again each second. */
export function pageNow(): number {
  subscribe();
  return performance.now();
}
