// The state of the picture: what the person looks at and works on. It is kept while another page or view is shown.
import { Kept } from "../../../lib/diagram/kept";
import type { Look } from "../../../lib/diagram/viewport";
import { manifestModel } from "../../../lib/manifest/manifest.svelte";
import type { Renaming } from "../../../lib/manifest/timeline";
import type { FieldValue } from "../../../lib/types/FieldValue";
import type { Places, Point } from "./arrange";
import type { Kind } from "./kinds";

/** A host that is not in the text yet. */
export type NewHost = {
  kind: Kind;
  name: string;
  vip: string;
  target: string;
  /** The fields of what the person has chosen among the hosts found on this machine; null if the target was typed. */
  found: Record<string, FieldValue> | null;
  at: Point;
};

/** The cloud of a route. `at` is its distance from the card of its first gateway; null if the person has not moved it. */
export type CloudPlace = { route: RouteSaid; at: [number, number] | null };
/** What a route says. It has no name, so a stored place is found again by this. */
export type RouteSaid = { via: string[]; to: string[]; notTo: string[] };

/** The places and the grouping. They are stored for each manifest, outside of its file. */
type Stored = { flat: Places; grouped: Places; isGrouped: boolean | null; clouds?: CloudPlace[] };

/** With this many hosts or more, the hosts stand in groups, unless the person has chosen otherwise. */
export const GROUPS_FROM = 31;
/** The maximum number of places that are stored. A manifest has at most 1,024 hosts. */
const MOST_PLACES = 3000;
/** The maximum number of moved clouds that are stored. */
const MOST_CLOUDS = 500;
const kept = new Kept<Stored>("norouter.picture", 24);

class View {
  look = $state.raw<Look | null>(null);
  /**
   * The keys of the groups that are open. At first all groups are folded, so that a large manifest is easy to survey.
   */
  unfolded = $state.raw<ReadonlySet<string>>(new Set());
  /** The cards that show all of their ports. */
  opened = $state.raw<ReadonlySet<string>>(new Set());
  draft = $state.raw<NewHost | null>(null);
  /** The host through which a new route leads, while its first destination is typed. */
  newRoute = $state.raw<string | null>(null);
  /** The field that is edited in place, named by `keys` below. */
  editing = $state.raw<string | null>(null);
  /** The card or cloud that the Tab key reaches. */
  active = $state.raw<string | null>(null);
  found = $state.raw("");
  #path = $state.raw("");
  #stored = $state.raw<Stored>({ flat: {}, grouped: {}, isGrouped: null });

  /** Changes to another manifest, with its stored places. */
  about(path: string): void {
    if (path !== this.#path) {
      this.#path = path;
      this.#stored = kept.recall(path) ?? { flat: {}, grouped: {}, isGrouped: null };
      this.unfolded = new Set();
      this.opened = new Set();
      this.look = this.draft = this.newRoute = this.editing = this.active = null;
      this.found = "";
    }
  }

  get path(): string {
    return this.#path;
  }

  isGrouped(hosts: number): boolean {
    return this.#stored.isGrouped ?? hosts >= GROUPS_FROM;
  }

  group(on: boolean): void {
    this.#store({ ...this.#stored, isGrouped: on });
  }

  places(isGrouped: boolean): Places {
    return isGrouped ? this.#stored.grouped : this.#stored.flat;
  }

  /**
   * Keeps the places that hosts have got, so that they stay there when others come and go. The places of hosts that are
   * gone are kept as well: undo brings hosts back.
   */
  settle(isGrouped: boolean, places: Places): void {
    const now = this.places(isGrouped);
    const fresh = Object.entries(places).filter(([name, place]) => now[name]?.[0] !== place[0] || now[name]?.[1] !== place[1]);
    if (fresh.length > 0) {
      const all = { ...now, ...Object.fromEntries(fresh) };
      this.place(isGrouped, Object.keys(all).length > MOST_PLACES ? places : all);
    }
  }

  place(isGrouped: boolean, places: Places): void {
    this.#store({ ...this.#stored, [isGrouped ? "grouped" : "flat"]: places });
  }

  /** The clouds of all routes, if the person has moved one; otherwise none. */
  get clouds(): readonly CloudPlace[] {
    return this.#stored.clouds ?? [];
  }

  placeClouds(clouds: readonly CloudPlace[]): void {
    const isMoved = clouds.some((one) => one.at !== null);
    this.#store({ ...this.#stored, clouds: isMoved ? clouds.slice(-MOST_CLOUDS) : [] });
  }

  /**
   * Keeps what the routes say now, so that the clouds are found again after the next edit. The places of clouds that are
   * gone are kept as well: undo brings routes back.
   */
  settleClouds(routes: readonly RouteSaid[]): void {
    const now = cloudPlaces(this.clouds, routes);
    const gone = this.clouds.filter((one) => one.at !== null && !now.includes(one));
    const all = [...gone, ...routes.map((route, at): CloudPlace => ({ route, at: now[at]?.at ?? null }))];
    if (this.clouds.length > 0 && JSON.stringify(all) !== JSON.stringify(this.clouds)) {
      this.placeClouds(all);
    }
  }

  /** Gives everything that belongs to the names of hosts to their new names, even while the picture is not shown. */
  renamed(path: string, renamings: readonly Renaming[]): void {
    this.about(path);
    for (const [from, to] of renamings) {
      const named = (name: string) => (name === from ? to : name);
      const moved = (places: Places): Places => {
        const { [to]: _, ...others } = places;
        return Object.hasOwn(places, from) ? Object.fromEntries(Object.entries(others).map(([name, place]) => [named(name), place])) : places;
      };
      const clouds = this.clouds.map((cloud) => ({ ...cloud, route: { ...cloud.route, via: cloud.route.via.map(named) } }));
      this.#store({ ...this.#stored, flat: moved(this.#stored.flat), grouped: moved(this.#stored.grouped), clouds });
      this.opened = new Set(Array.from(this.opened, named));
      this.active = this.active === from ? to : this.active;
      this.newRoute = this.newRoute === from ? to : this.newRoute;
    }
  }

  /** Closes a field that is edited in place. Returns false if another field was opened meanwhile; that one stays open. */
  close(key: string): boolean {
    const isOther = this.editing !== null && this.editing !== key;
    this.editing = isOther ? this.editing : null;
    return !isOther;
  }

  /** Unfolds or folds a group, or shows all or only some ports of a card. */
  toggle(of: "unfolded" | "opened", key: string): void {
    const now = new Set(this[of]);
    if (!now.delete(key)) {
      now.add(key);
    }
    this[of] = now;
  }

  #store(stored: Stored): void {
    this.#stored = stored;
    kept.remember(this.#path, stored);
  }
}

export const view = new View();
manifestModel.onRenamed((path, renamings) => view.renamed(path, renamings));

/** How well a stored route fits another one, from 3 for an equal one to 0 for one that has nothing in common with it. */
function likeness(one: RouteSaid, other: RouteSaid): number {
  const same = (a: readonly string[], b: readonly string[]) => a.length === b.length && a.every((word, at) => word === b[at]);
  const [via, to, notTo] = [same(one.via, other.via), same(one.to, other.to), same(one.notTo, other.notTo)];
  return via && to && notTo ? 3 : (via && to) || (to && notTo) ? 2 : via || to ? 1 : 0;
}

/**
 * The stored place of each route; null if there is none. A place goes to the route that is most like the one for which it
 * was stored, so that it stays when routes change their order, their gateways or their destinations.
 */
export function cloudPlaces(stored: readonly CloudPlace[], routes: readonly RouteSaid[]): (CloudPlace | null)[] {
  const found = routes.map((): CloudPlace | null => null);
  const left = new Set(stored);
  for (const least of [3, 2, 1]) {
    routes.forEach((route, at) => {
      const place = found[at] === null ? Array.from(left).find((one) => likeness(one.route, route) >= least) : undefined;
      if (place !== undefined) {
        found[at] = place;
        left.delete(place);
      }
    });
  }
  return found;
}

/**
 * The names of the fields that can be edited in place. They begin with the name of a host, or with `#` and the number
 * of a route.
 */
export const keys = {
  name: (host: string) => `${host} name`,
  vip: (host: string) => `${host} vip`,
  target: (host: string) => `${host} target`,
  port: (host: string, number: number | "new") => `${host} port ${number}`,
  pattern: (route: number, list: "to" | "notTo", number: number | "new") => `#${route} ${list} ${number}`,
};
