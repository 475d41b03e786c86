// The router keeps the shown page in the address, after `#`, so that the keys and buttons for "back" work.

const PAGES = ["network", "flows", "log", "manifest", "policy", "settings", "welcome", "machine", "host"] as const;

export type Page = (typeof PAGES)[number];
/** The pages that have fixed names. The page of a host has the host's name. */
export type NamedPage = Exclude<Page, "host">;

/** An address inside the app, in its parts. */
export type PageAddress = {
  page: Page;
  /** The subject of the page, such as the name of the host. */
  of: string | null;
  /** Filters and the like: `#/log?host=web1`. */
  query: URLSearchParams;
};

/** Whether a question for consent replaces a page. Other pages stay, and a notice says that a question waits. */
export function givesWay(page: Page): boolean {
  return page === "network" || page === "flows" || page === "policy" || page === "host";
}

/** The page for an address; the network page if there is none. */
export function pageAddress(hash: string): PageAddress {
  const [path = "", query = ""] = hash.replace(/^#?\/?/, "").split("?", 2);
  const [name = "", of = ""] = path.split("/", 2);
  const page = PAGES.find((known) => known === name) ?? "network";
  return { page, of: of === "" ? null : decoded(of), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a page. */
export function href(page: Page, of?: string, query?: Record<string, string>): string {
  const tail = query === undefined ? "" : `?${new URLSearchParams(query)}`;
  return of === undefined ? `#/${page}${tail}` : `#/${page}/${encodeURIComponent(of)}${tail}`;
}

class Router {
  at = $state.raw<PageAddress>(pageAddress(location.hash));

  constructor() {
    window.addEventListener("hashchange", () => {
      this.at = pageAddress(location.hash);
    });
  }

  /**
   * Goes to a page. If its address is already shown, the page is told of it again, because the query may ask for
   * something.
   */
  go(page: Page, of?: string, query?: Record<string, string>): void {
    const hash = href(page, of, query);
    if (location.hash === hash) {
      this.at = pageAddress(hash);
    } else {
      location.hash = hash;
    }
  }
}

export const router = new Router();
