// Everything that is drawn, with its place: the cards and clouds of the text as it is now, in their groups.
import { collected, type Group, prefixOf } from "../../../lib/diagram/grouping";
import type { Shape } from "../../../components/diagram/MiniMap.svelte";
import { type Box, around } from "../../../lib/diagram/viewport";
import { manifestModel } from "../../../lib/manifest/manifest.svelte";
import { t } from "../../../lib/strings";
import type { Outline } from "../../../lib/types/Outline";
import { arrange, type Arranged, cardHeight, cloudHeight, MOST, openHeight, snapped, type Spot, type Unit } from "./arrange";
import { type Card, type Cloud, Drawer, type Picture } from "./model";
import { sameList } from "./same";
import { cloudPlaces, type RouteSaid, view } from "./view.svelte";

/** The key of the cloud of a new route. */
const FRESH = "new";
const NOTHING: Outline = { hosts: [], template: [], network: [], routes: [], policy: null, nextVip: null, nextPort: 8080 };

function sameCloud(a: Unit["clouds"][number], b: Unit["clouds"][number]): boolean {
  return a.key === b.key && a.height === b.height && a.at?.[0] === b.at?.[0] && a.at?.[1] === b.at?.[1];
}

export class Scene {
  readonly #drawer = new Drawer();

  readonly #saved = $derived.by((): Outline | null => {
    // Without unsaved edits, the outline of the text is that of the file.
    const isSame = manifestModel.draft !== null && !manifestModel.edited && !manifestModel.outlineStale;
    return isSame ? manifestModel.outline : manifestModel.savedOutline;
  });
  readonly picture = $derived.by((): Picture => {
    const effect = manifestModel.edited ? (manifestModel.checked?.effect ?? null) : null;
    return this.#drawer.draw({ outline: manifestModel.outline ?? NOTHING, saved: this.#saved, effect, problems: manifestModel.checked?.problems ?? [] });
  });
  readonly cards = $derived(new Map(this.picture.cards.map((card): [string, Card] => [card.name, card])));
  readonly clouds = $derived(new Map(this.picture.clouds.map((cloud): [string, Cloud] => [cloud.key, cloud])));
  /** What each route says. */
  readonly routes = $derived(this.picture.clouds.map((cloud): RouteSaid => ({ via: cloud.via, to: cloud.to.map(({ text }) => text), notTo: cloud.notTo.map(({ text }) => text) })));
  readonly isGrouped = $derived(view.isGrouped(this.picture.cards.length));

  // Values that have not changed stay the same objects, so that what depends on them is not computed or drawn again.
  #groups: Group[] = [];
  #keptUnits: { units: Unit[]; homeless: Unit["clouds"] } = { units: [], homeless: [] };
  #spots = new Map<string, Spot>();

  readonly groups = $derived.by((): Group[] => {
    const { cards } = this.picture;
    if (cards.length === 0) {
      return [];
    }
    const groups = this.isGrouped
      ? collected(cards, (card) => prefixOf(card.name), (key) => key, 2, t.picture.group.other)
      : [{ key: "", title: "", hosts: cards.map((card) => card.name) }];
    if (!sameList(groups, this.#groups, (a, b) => a.key === b.key && sameList(a.hosts, b.hosts))) {
      this.#groups = groups;
    }
    return this.#groups;
  });
  readonly folded = $derived(new Set(this.isGrouped ? this.groups.map((group) => group.key).filter((key) => !view.unfolded.has(key)) : []));

  /**
   * The names and heights of the cards, each with the clouds behind it, and the clouds without a gateway. Changes only
   * if one of these changes, so nothing is arranged anew without need.
   */
  readonly #units = $derived.by((): { units: Unit[]; homeless: Unit["clouds"] } => {
    const places = cloudPlaces(view.clouds, this.routes);
    const behind = new Map<string, Unit["clouds"]>();
    const homeless: Unit["clouds"] = [];
    for (const cloud of this.picture.clouds) {
      const gateway = cloud.gateways[0];
      const chips = cloud.to.length + cloud.notTo.length;
      const isOpened = chips > MOST.chips && view.opened.has(`#${cloud.at}`);
      const one = { key: cloud.key, height: isOpened ? cloudHeight(MOST.chips) + (chips - MOST.chips + 1) * 25 : cloudHeight(chips), at: places[cloud.at]?.at ?? null };
      const list = gateway === undefined ? homeless : (behind.get(gateway) ?? []);
      list.push(one);
      if (gateway !== undefined) {
        behind.set(gateway, list);
      }
    }
    if (view.newRoute !== null) {
      behind.set(view.newRoute, [...(behind.get(view.newRoute) ?? []), { key: FRESH, height: cloudHeight(1) }]);
    }
    const units = this.picture.cards.map((card): Unit => {
      const count = card.change === "removed" ? 0 : card.sockets.length;
      return { name: card.name, height: count > MOST.sockets && view.opened.has(card.name) ? openHeight(count) : cardHeight(count), clouds: behind.get(card.name) ?? [] };
    });
    const before = this.#keptUnits;
    if (!sameList(units, before.units, (a, b) => a.name === b.name && a.height === b.height && sameList(a.clouds, b.clouds, sameCloud)) || !sameList(homeless, before.homeless, sameCloud)) {
      this.#keptUnits = { units, homeless };
    }
    return this.#keptUnits;
  });

  readonly arranged = $derived.by((): Arranged => {
    const found = arrange(this.#units.units, this.groups, this.#units.homeless, view.places(this.isGrouped), this.folded);
    return { ...found, cards: this.#kept(found.cards, ""), clouds: this.#kept(found.clouds, "#") };
  });

  /** Returns the places. A place that has not changed is the same object as in the last picture. */
  #kept(spots: Spot[], mark: string): Spot[] {
    return spots.map((spot) => {
      const before = this.#spots.get(mark + spot.name);
      if (before !== undefined && before.x === spot.x && before.y === spot.y && before.height === spot.height) {
        return before;
      }
      this.#spots.set(mark + spot.name, spot);
      return spot;
    });
  }

  readonly spots = $derived(new Map(this.arranged.cards.map((spot): [string, Spot] => [spot.name, spot])));
  readonly cloudSpots = $derived(
    this.arranged.clouds.flatMap((spot) => {
      const cloud = this.clouds.get(spot.name);
      return cloud === undefined ? [] : [{ cloud, spot }];
    }),
  );
  readonly fresh = $derived.by(() => {
    const spot = this.arranged.clouds.find((one) => one.name === FRESH);
    return spot === undefined || view.newRoute === null ? null : { host: view.newRoute, spot };
  });

  /**
   * The cards, clouds and folded groups between which the arrow keys move. The name of a cloud is `#` and its number,
   * that of a group `/` and its key.
   */
  readonly stops = $derived<Spot[]>([
    ...this.arranged.cards,
    ...this.cloudSpots.map(({ cloud, spot }) => ({ ...spot, name: `#${cloud.at}` })),
    ...this.arranged.frames.filter((frame) => frame.folded).map((frame) => ({ ...frame, name: `/${frame.key}` })),
  ]);
  readonly active = $derived(this.stops.some((stop) => stop.name === view.active) ? view.active : (this.stops.find((stop) => !stop.name.startsWith("/"))?.name ?? null));

  readonly #wanted = $derived(view.found.trim().toLowerCase());
  /** The names of the hosts that the search finds; `null` if nothing is searched for. */
  readonly found = $derived(
    this.#wanted === "" ? null : new Set(this.picture.cards.filter((card) => [card.name, card.vip, card.target?.text ?? ""].some((word) => word.toLowerCase().includes(this.#wanted))).map((card) => card.name)),
  );
  readonly hits = $derived(this.found === null ? null : around([...this.found].flatMap((name) => this.boxOf(name) ?? [])));

  readonly shapes = $derived<Shape[]>([
    ...this.arranged.frames.map((frame): Shape => ({ key: `/${frame.key}`, box: frame, look: frame.folded ? "plain" : "outline" })),
    ...this.arranged.cards.map((spot): Shape => ({ key: spot.name, box: spot, look: this.cards.get(spot.name)?.change === null ? "plain" : "accent" })),
    ...this.cloudSpots.map(({ cloud, spot }): Shape => ({ key: `#${cloud.at}`, box: spot, look: "plain" })),
  ]);

  /** The box of a host or a cloud, or of the group of a host that is not drawn itself. */
  boxOf(name: string): Box | undefined {
    return this.spots.get(name) ?? this.stops.find((stop) => stop.name === name) ?? this.arranged.frames.find((frame) => frame.hosts.includes(name));
  }

  /**
   * Moves the cloud of a route. Its place belongs to the card of its first gateway, and moves with that card. In groups,
   * clouds stay behind their gateways.
   */
  moveCloud(at: number, dx: number, dy: number): void {
    const spot = this.arranged.clouds.find((one) => one.name === String(at));
    const place = this.arranged.places[this.clouds.get(String(at))?.gateways[0] ?? ""];
    if (spot === undefined || place === undefined || this.isGrouped) {
      return;
    }
    const now = cloudPlaces(view.clouds, this.routes);
    const moved: [number, number] = [snapped(spot.x + dx) - place[0], snapped(spot.y + dy) - place[1]];
    const gone = view.clouds.filter((one) => one.at !== null && !now.includes(one));
    view.placeClouds([...gone, ...this.routes.map((route, number) => ({ route, at: number === at ? moved : (now[number]?.at ?? null) }))]);
  }

  /** Unfolds the group of a host. */
  uncover(host: string): void {
    const group = this.groups.find((one) => one.hosts.includes(host));
    if (group !== undefined && this.folded.has(group.key)) {
      view.toggle("unfolded", group.key);
    }
  }
}
