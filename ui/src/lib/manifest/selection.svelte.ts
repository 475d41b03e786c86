// The selection in the manifest. The picture, the form and the text share it, so that a person who changes the view
// stays at the same place.
import { SvelteSet } from "svelte/reactivity";

import type { EditRequest } from "../types/EditRequest";
import type { Outline } from "../types/Outline";
import { itemAfter, placesOf } from "./items";
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

  /** Follows the route when routes are moved or removed by edits of this page. */
  followed(edits: readonly EditRequest[]): void {
    for (const edit of edits) {
      if (this.route !== null) {
        this.route = itemAfter("routes", this.route, edit);
      }
    }
  }

  /** Follows the route when the text was changed in another way. */
  followedFrom(before: Outline, after: Outline): void {
    if (this.route !== null) {
      this.route = placesOf(before.routes, after.routes)[this.route] ?? null;
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

export const selection = new Selection();
