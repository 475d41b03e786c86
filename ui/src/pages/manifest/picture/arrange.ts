// Arranges cards and clouds. The person can move every card. Cards without a place get one. A card that has grown over
// other cards pushes them down, so that nothing is covered. With many hosts, the hosts stand in frames, by the
// beginning of their names, and a frame can be folded into one card.
import type { Group } from "../../../lib/diagram/grouping";
import { shelved } from "../../../lib/diagram/shelves";
import { around, type Box, type Level, levelOf } from "../../../lib/diagram/viewport";

export const CARD = { width: 272, head: 60, socket: 28, foot: 8 };
export const CLOUD = { width: 236, head: 30, chip: 25, foot: 30 };
/** The size of a folded group, which shows its title and its figures. */
export const FOLDED = { width: CARD.width, height: 76 };
export const TITLE = 44;
/** The maximum number of sockets on a card, and of chips on a cloud. The rest is hidden behind a button. */
export const MOST = { sockets: 11, chips: 7 };
const GAP = 20;
/** The space between a gateway and its clouds. */
const LINK = 48;
const INSET = 16;
const APART = 36;
/** The ratio of width to height that the picture should have. */
const ASPECT = 1.5;
/** The width of the vertical strips into which the picture is divided to find cards that cover each other. */
const STRIP = 256;
/** Cards snap to a grid, so that they stand in line without effort. */
export const GRID = 8;

/**
 * How much a card shows. A card that can be edited shows everything down to the zoom at which that can still be read.
 */
export function levelAt(zoom: number): Level {
  return zoom >= 0.72 ? "card" : levelOf(zoom);
}

export type Point = { x: number; y: number };
/**
 * The places of cards by their names. If two cards at the same height would cover each other, the first one here stays.
 */
export type Places = Record<string, [number, number]>;

/**
 * A card with the clouds behind it. They are placed together. If the person has moved a cloud, `at` is its distance from
 * the card; the other clouds stand right behind the card.
 */
export type Unit = { name: string; height: number; clouds: { key: string; height: number; at?: readonly [number, number] | null }[] };
export type Spot = Box & { name: string };
export type Frame = Box & { key: string; title: string; hosts: string[]; folded: boolean };
export type Arranged = {
  all: Box;
  cards: Spot[];
  /** `name` is the key of the cloud. */
  clouds: Spot[];
  frames: Frame[];
  /** The place that each card should have when the picture is arranged again. */
  places: Places;
};

export function cardHeight(sockets: number): number {
  // The card has room for the button that publishes a port, and, if some ports are hidden, for the button that shows
  // them.
  return CARD.head + Math.ceil((Math.min(sockets, MOST.sockets) + (sockets > MOST.sockets ? 2 : 1)) / 2) * CARD.socket + CARD.foot;
}

/** The height of a card that shows all of its sockets. */
export function openHeight(sockets: number): number {
  return CARD.head + Math.ceil((sockets + 2) / 2) * CARD.socket + CARD.foot;
}

export function cloudHeight(chips: number): number {
  return CLOUD.head + (Math.min(chips, MOST.chips) + (chips > MOST.chips ? 1 : 0)) * CLOUD.chip + CLOUD.foot;
}

/** Arranges units in groups. `homeless` are the clouds whose gateways do not exist. */
export function arrange(units: readonly Unit[], groups: readonly Group[], homeless: Unit["clouds"], wanted: Places, folded: ReadonlySet<string>): Arranged {
  const byName = new Map(units.map((unit) => [unit.name, unit]));
  const plain = groups.length === 1 && groups[0]?.key === "";
  const found = plain ? flat(units, wanted) : framed(byName, groups, wanted, folded);
  const ground = boxAround([...found.cards, ...found.clouds, ...found.frames]);
  const lost = homeless.map((cloud, at): Spot => ({ name: cloud.key, x: ground.x + at * (CLOUD.width + GAP), y: ground.y + ground.height + APART, width: CLOUD.width, height: cloud.height }));
  return { ...found, clouds: [...found.clouds, ...lost], all: boxAround([...found.cards, ...found.clouds, ...found.frames, ...lost]) };
}

type Placed = { unit: Unit; x: number; y: number };

/** The name under which a cloud that the person has moved is placed like a card. */
const MOVED = "#";

function flat(units: readonly Unit[], wanted: Places): Omit<Arranged, "all"> {
  const still = units.map((unit) => (unit.clouds.some((cloud) => cloud.at) ? { ...unit, clouds: unit.clouds.filter((cloud) => !cloud.at) } : unit));
  const places = settled(still, wanted);
  const free: Unit[] = [];
  const all: Places = { ...places };
  for (const unit of units) {
    const [x, y] = places[unit.name] ?? [0, 0];
    for (const cloud of unit.clouds.filter((one) => one.at)) {
      free.push({ name: MOVED + cloud.key, height: cloud.height, clouds: [] });
      all[MOVED + cloud.key] = [x + (cloud.at?.[0] ?? 0), y + (cloud.at?.[1] ?? 0)];
    }
  }
  const placed = pushed([...still, ...free], all);
  const { cards, clouds } = drawn(placed.filter(({ unit }) => !unit.name.startsWith(MOVED)), 0, 0);
  const others = placed.filter(({ unit }) => unit.name.startsWith(MOVED)).map(({ unit, x, y }): Spot => ({ name: unit.name.slice(MOVED.length), x, y, width: CLOUD.width, height: unit.height }));
  return { cards, clouds: [...clouds, ...others], frames: [], places };
}

function framed(byName: ReadonlyMap<string, Unit>, groups: readonly Group[], wanted: Places, folded: ReadonlySet<string>): Omit<Arranged, "all"> {
  const places: Places = {};
  const blocks = groups.map((group) => {
    const units = group.hosts.flatMap((name) => byName.get(name) ?? []);
    // In a group, the clouds stand behind their gateways, so that the frame does not grow.
    const own = settled(units, wanted);
    Object.assign(places, own);
    const inside = pushed(units, own);
    const isFolded = folded.has(group.key);
    const box = boxAround(inside.map((one) => ({ ...sizeOf(one.unit), x: one.x, y: one.y })));
    const size = isFolded ? FOLDED : { width: Math.max(box.width, FOLDED.width) + 2 * INSET, height: box.height + TITLE + INSET };
    return { group, inside, box, isFolded, ...size };
  });
  const spots = shelved(blocks, { gap: APART, lead: 0, aspect: ASPECT, step: CARD.width });
  const found: Omit<Arranged, "all"> = { cards: [], clouds: [], frames: [], places };
  blocks.forEach(({ group, inside, box, isFolded, width, height }, at) => {
    const { x, y } = spots[at] as Point;
    found.frames.push({ ...group, folded: isFolded, x, y, width, height });
    if (!isFolded) {
      const { cards, clouds } = drawn(inside, x + INSET - box.x, y + TITLE - box.y);
      found.cards.push(...cards);
      found.clouds.push(...clouds);
    }
  });
  return found;
}

/** The cards and clouds of units that have places. */
function drawn(placed: readonly Placed[], dx: number, dy: number): { cards: Spot[]; clouds: Spot[] } {
  const cards = placed.map(({ unit, x, y }): Spot => ({ name: unit.name, x: x + dx, y: y + dy, width: CARD.width, height: unit.height }));
  const clouds = placed.flatMap(({ unit, x, y }) => {
    let top = y + dy;
    return unit.clouds.map((cloud): Spot => {
      const spot = { name: cloud.key, x: x + dx + CARD.width + LINK, y: top, width: CLOUD.width, height: cloud.height };
      top += cloud.height + GAP / 2;
      return spot;
    });
  });
  return { cards, clouds };
}

export function sizeOf(unit: Unit): { width: number; height: number } {
  if (unit.name.startsWith(MOVED)) {
    return { width: CLOUD.width, height: unit.height };
  }
  const clouds = unit.clouds.reduce((sum, cloud) => sum + cloud.height + GAP / 2, -GAP / 2);
  return unit.clouds.length === 0 ? { width: CARD.width, height: unit.height } : { width: CARD.width + LINK + CLOUD.width, height: Math.max(unit.height, clouds) };
}

/** Gives every unit its wanted place, or else a free one. */
function settled(units: readonly Unit[], wanted: Places): Places {
  const known = units.filter((unit) => Object.hasOwn(wanted, unit.name));
  const fresh = units.filter((unit) => !Object.hasOwn(wanted, unit.name));
  const places: Places = {};
  for (const unit of known) {
    places[unit.name] = wanted[unit.name] as [number, number];
  }
  if (known.length === 0) {
    Object.assign(places, inColumns(fresh));
  } else {
    const taken = known.map((unit): Box => ({ ...sizeOf(unit), x: places[unit.name]?.[0] ?? 0, y: places[unit.name]?.[1] ?? 0 }));
    for (const unit of fresh) {
      const at = freePlace(unit, taken);
      places[unit.name] = [at.x, at.y];
      taken.push({ ...sizeOf(unit), ...at });
    }
  }
  return places;
}

/** Places for a new picture: columns that are filled from the top, and gateways in the last ones. */
export function inColumns(units: readonly Unit[]): Places {
  const inner = units.filter((unit) => unit.clouds.length === 0);
  const gates = units.filter((unit) => unit.clouds.length > 0);
  const pitch = { inner: CARD.width + GAP, gates: CARD.width + LINK + CLOUD.width + GAP };
  let best: { columns: Unit[][][]; scale: number } = { columns: [[], []], scale: 0 };
  for (let count = 1; count <= Math.max(1, inner.length); count += 1) {
    const columns = inner.length > 0 ? filled(inner, count) : [];
    const high = inner.length > 0 ? tallest(columns) : Math.sqrt(heightOf(gates) * pitch.gates / ASPECT);
    const behind = gates.length > 0 ? filled(gates, Math.max(1, Math.round(heightOf(gates) / Math.max(1, high)))) : [];
    const width = columns.length * pitch.inner + behind.length * pitch.gates;
    const scale = Math.min(ASPECT / width, 1 / Math.max(high, tallest(behind)));
    if (scale > best.scale) {
      best = { columns: [columns, behind], scale };
    } else if (width > ASPECT * high * 2) {
      // More columns only make the picture smaller.
      break;
    }
  }
  const places: Places = {};
  let x = 0;
  best.columns.forEach((columns, part) => {
    for (const column of columns) {
      let y = 0;
      for (const unit of column) {
        places[unit.name] = [x, y];
        y += snapped(sizeOf(unit).height + GAP);
      }
      x += part === 0 ? pitch.inner : pitch.gates;
    }
  });
  return places;
}

function heightOf(units: readonly Unit[]): number {
  return units.reduce((sum, unit) => sum + sizeOf(unit).height + GAP, 0);
}

function tallest(columns: readonly Unit[][]): number {
  return Math.max(0, ...columns.map(heightOf));
}

/** Units in at most `count` columns, in their order, so that the tallest column is as low as possible. */
function filled(units: readonly Unit[], count: number): Unit[][] {
  const heights = units.map((unit) => sizeOf(unit).height + GAP);
  const all = heights.reduce((sum, height) => sum + height, 0);
  let limit = Math.max(all / count, ...heights);
  for (;;) {
    const columns: Unit[][] = [[]];
    let y = 0;
    units.forEach((unit, at) => {
      const height = heights[at] ?? 0;
      if (y > 0 && y + height > limit) {
        columns.push([]);
        y = 0;
      }
      columns.at(-1)?.push(unit);
      y += height;
    });
    if (columns.length <= count) {
      return columns;
    }
    limit *= 1.05;
  }
}

/** A free place for one more card. */
export function freeSpot(arranged: Arranged, height: number): Point {
  const taken = [...arranged.cards, ...arranged.clouds];
  return taken.length === 0 ? { x: 0, y: 0 } : freePlace({ name: "", height, clouds: [] }, taken);
}

/** The best free place for one more unit: below the shortest column, or in a new column if the picture is too high. */
function freePlace(unit: Unit, taken: readonly Box[]): Point {
  const size = sizeOf(unit);
  const all = boxAround(taken);
  const columns = new Set(taken.map((box) => box.x));
  let found: Point = { x: snapped(all.x + all.width + GAP), y: all.y };
  let least = Math.max(all.height, (all.width + size.width) / ASPECT);
  for (const x of columns) {
    const below = taken.filter((box) => box.x < x + size.width && box.x + box.width > x).reduce((low, box) => Math.max(low, box.y + box.height), all.y);
    const end = below + GAP + size.height - all.y;
    if (end < least) {
      least = end;
      found = { x, y: snapped(below + GAP) };
    }
  }
  return found;
}

/** The units at their places, from top to bottom. A unit that would cover one before it is moved below that one. */
function pushed(units: readonly Unit[], places: Places): Placed[] {
  const placeOf = (unit: Unit) => places[unit.name] ?? [0, 0];
  const ranks = new Map(Object.keys(places).map((name, rank) => [name, rank]));
  const order = units
    .map((unit) => ({ unit, size: sizeOf(unit), x: placeOf(unit)[0], y: placeOf(unit)[1], rank: ranks.get(unit.name) ?? 0 }))
    .toSorted((a, b) => a.y - b.y || a.rank - b.rank);
  // Only units in the same strip can cover each other, so not every unit has to be compared with every other.
  const strips = new Map<number, typeof order>();
  const stripsOf = (one: (typeof order)[number]) => Array.from({ length: Math.ceil(one.size.width / STRIP) + 1 }, (_, at) => Math.floor(one.x / STRIP) + at);
  for (const one of order) {
    const near = stripsOf(one).flatMap((strip) => strips.get(strip) ?? []);
    let blocked: (typeof order)[number] | undefined;
    do {
      blocked = near.find((other) => other.x < one.x + one.size.width && one.x < other.x + other.size.width && other.y < one.y + one.size.height && one.y < other.y + other.size.height);
      one.y = blocked === undefined ? one.y : blocked.y + blocked.size.height + GAP;
    } while (blocked !== undefined);
    for (const strip of stripsOf(one)) {
      const others = strips.get(strip) ?? [];
      others.push(one);
      strips.set(strip, others);
    }
  }
  return order;
}

/** The places after some cards were moved. A move begins where a card is drawn, which may be below its wanted place. */
export function moved(arranged: Arranged, names: ReadonlySet<string>, dx: number, dy: number): Places {
  const places: Places = {};
  for (const name of names) {
    const [x, y] = arranged.places[name] ?? [0, 0];
    const spot = arranged.cards.find((card) => card.name === name);
    const frame = arranged.frames.find((one) => one.hosts.includes(name));
    const from = spot === undefined || frame !== undefined ? { x, y } : spot;
    places[name] = [snapped(from.x + dx), snapped(from.y + dy)];
  }
  return { ...places, ...without(arranged.places, names) };
}

/** The places after the left or the upper edges of some cards were aligned. */
export function aligned(arranged: Arranged, names: ReadonlySet<string>, edge: "x" | "y"): Places {
  const at = edge === "x" ? 0 : 1;
  const places: Places = {};
  const before = arranged.places;
  const those = [...names].filter((name) => Object.hasOwn(before, name));
  const least = Math.min(...those.map((name) => before[name]?.[at] ?? 0));
  // The cards must not cover each other, so they stand one after the other, in their present order.
  let next = -Infinity;
  for (const name of those.toSorted((a, b) => (before[a]?.[1 - at] ?? 0) - (before[b]?.[1 - at] ?? 0))) {
    const place: [number, number] = [...(before[name] ?? [0, 0])];
    place[at] = least;
    place[1 - at] = Math.max(place[1 - at] ?? 0, next);
    const spot = arranged.cards.find((card) => card.name === name);
    next = snapped((place[1 - at] ?? 0) + (edge === "x" ? (spot?.height ?? CARD.head) : CARD.width) + GAP);
    places[name] = place;
  }
  return { ...places, ...without(before, names) };
}

function without(places: Places, names: ReadonlySet<string>): Places {
  return Object.fromEntries(Object.entries(places).filter(([name]) => !names.has(name)));
}

export function snapped(value: number): number {
  return Math.round(value / GRID) * GRID;
}

/** The box around all boxes. A picture without any is as large as a card. */
function boxAround(boxes: readonly Box[]): Box {
  return around(boxes) ?? { x: 0, y: 0, width: CARD.width, height: CARD.head };
}
