// The page that is shown for an address. In some states of the app, an address leads to a different page.
import { givesWay, type Page, type PageAddress } from "./router.svelte";
import type { App } from "./types/App";

/** Pages that need no network. */
const FREE: readonly Page[] = ["settings", "log", "machine", "welcome"];

/** The page that is shown; `null` if that depends on the state of the app and the state is not known yet. */
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
  if (app.consent !== null && givesWay(page)) {
    return "consent";
  }
  return page === "host" && of === null ? "network" : page;
}

/** Whether the app has no manifest and no network to show. */
export function isHomeless(app: App | null): boolean {
  return app !== null && app.manifest === null && app.network === null;
}
