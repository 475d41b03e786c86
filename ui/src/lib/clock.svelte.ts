// The page's clock. It ticks once a second, but only while something on the screen shows an age or a countdown.
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
