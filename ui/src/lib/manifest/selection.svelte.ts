// The selection in the manifest. The picture, the form and the text share it, so that a person who changes the view
// stays at the same place.
import { SvelteSet } from "svelte/reactivity";

import type { EditRequest } from "../types/EditRequest";
import type { Outline } from "../types/Outline";
import type { Renaming } from "./timeline";

/** A part of the manifest that is not a host, and that the form can show. */
export type Part = "template" | "network" | "routes" | "policy";

class Selection {
  readonly hosts = new SvelteSet<string>();
  /** The number of the selected route, from 0; null if no route is selected. */
  route = $state.raw<number | null>(null);
  part = $state.raw<Part | null>(null);
  readonly #ids = new Map<string, number>();
  #nextId = 0;

  /** A number that a host keeps when it is renamed. */
  idOf(host: string): number {
    const id = this.#ids.get(host) ?? this.#nextId++;
    this.#ids.set(host, id);
    return id;
  }

  /** Selects one host and nothing else. */
  only(host: string): void {
    this.clear();
    this.hosts.add(host);
  }

  /** Selects a part of the manifest that is not a host. */
  show(part: Part): void {
    this.clear();
    this.part = part;
  }

  onlyRoute(at: number): void {
    this.show("routes");
    this.route = at;
  }

  clear(): void {
    this.hosts.clear();
    this.route = null;
    this.part = null;
  }

  /** Follows hosts to their new names. */
  renamed(renamings: readonly Renaming[]): void {
    for (const [from, to] of renamings) {
      this.#ids.set(to, this.idOf(from));
      this.#ids.delete(from);
      if (this.hosts.delete(from)) {
        this.hosts.add(to);
      }
    }
  }

  /** Follows the routes that were moved or removed. */
  followed(edits: readonly EditRequest[]): void {
    for (const edit of edits) {
      if (this.route !== null) {
        this.route = routeAfter(this.route, edit);
      }
    }
  }

  /** Deselects everything that the manifest no longer has. */
  keepTo(outline: Outline): void {
    const names = new Set(outline.hosts.map((host) => host.name));
    for (const host of this.hosts) {
      if (!names.has(host)) {
        this.hosts.delete(host);
      }
    }
    if (this.route !== null && this.route >= outline.routes.length) {
      this.route = null;
    }
  }
}

/** The number of a route after an edit; null if the edit has removed the route. */
export function routeAfter(route: number, edit: EditRequest): number | null {
  switch (edit.kind) {
    case "addRoute":
      return edit.at !== null && edit.at <= route ? route + 1 : route;
    case "removeRoute":
      return edit.at === route ? null : edit.at < route ? route - 1 : route;
    case "moveRoute": {
      const { from, to } = edit;
      if (from === route) {
        return to;
      }
      return route - (from < route ? 1 : 0) + (to <= route - (from < route ? 1 : 0) ? 1 : 0);
    }
    default:
      return route;
  }
}

export const selection = new Selection();
