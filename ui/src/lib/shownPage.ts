// The page that is shown for an address. Some addresses lead to another page, as long as the state of the app needs it.
import type { Page, PageAddress } from "./router.svelte";
import type { App } from "./types/App";

/** Pages that need no network. */
const FREE: readonly Page[] = ["settings", "log", "machine", "welcome"];

/** The shown page; `null` while it depends on the state of the app, which is not known yet. */
export function shownPage({ page, of }: PageAddress, app: App | null): Page | "consent" | null {
  if (FREE.includes(page)) {
    return page;
  }
  if (app === null) {
    return null;
  }
  if (isHomeless(app)) {
    return "welcome";
  }
  if (app.consent !== null && page !== "manifest") {
    return "consent";
  }
  return page === "host" && of === null ? "network" : page;
}

/** Whether the app has neither a manifest nor a network to show. */
export function isHomeless(app: App | null): boolean {
  return app !== null && app.manifest === null && app.network === null;
}
