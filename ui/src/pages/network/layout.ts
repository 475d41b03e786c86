// The layout of the diagram: the places of hosts, of groups and of the destinations behind gateways, and the routes of
// the links.
//
// This machine is a rail at the left, like a patch panel. In a small network, each host has a pipe of its own. The pipe
// to a host in the first column is straight. A longer pipe runs above the cards that it passes, in its own lane. In a
// large network, and if hosts are grouped, the hosts stand in frames, and one trunk leads to each row of frames.
// Gateways come last, so that their destinations can stand at their right.
import type { Group } from "../../lib/diagram/grouping";
import { shelved } from "../../lib/diagram/shelves";
import { type Places, settle } from "./places";

export const CARD = { width: 256, height: 84 };
export const RAIL = { width: 40 };
/**
 * The size of the destinations behind a gateway, beside its card (`width`) or below the frames (`wide`). Below the
 * frames they are wider, because the diagram is drawn smaller there.
 */
export const OUTSIDE = { width: 236, wide: 440 };
/** The size of a folded group. Its name and its figures stand in one line. */
export const FOLDED = { width: 2 * CARD.width + 12, height: CARD.height };
/** The height of the title of a group. */
export const TITLE = 56;
/** The space between the columns. A pipe bends down in it. */
const GUTTER = 52;
/** The space for the name of a jump host, before the card. */
export const HOP = 148;
/** The space between two cards, without the lanes. */
const GAP = 18;
const LANE = 9;
/** The space around the cards of a frame, and between them. */
const INSET = 14;
const NEAR = 12;
/** The space between two frames. */
const APART = 40;
/** How far the rail extends beyond the outermost lanes. */
const RIM = 12;
/** The space between the rail and the first column. */
const REACH = 56;
const BEND = 7;
/** The ratio of width to height that the diagram should have. It is about that of the window without its header. */
const ASPECT = 2;
/** Up to this many hosts, each host is drawn with a pipe of its own. If there are more, no host has one. */
export const PIPES_MAX = 24;
/**
 * A diagram with pipes keeps them while it has at most this many hosts above the limit. A diagram without pipes gets
 * them only when it has this many hosts below the limit. So a single new or removed host rarely moves all others.
 */
const SLACK = 6;

export type Placed = { name: string; gateway: boolean; hop: string };
export type Spot = { name: string; x: number; y: number };
export type Pipe = { name: string; path: string; jack: number; end: { x: number; y: number }; hop: string };
export type Frame = { key: string; title: string; hosts: string[]; folded: boolean; x: number; y: number; width: number; height: number; path: string; jack: number };
export type Outer = { name: string; x: number; y: number; path: string };
export type Layout = {
  width: number;
  height: number;
  spots: Spot[];
  pipes: Pipe[];
  frames: Frame[];
  outside: Outer[];
  rail: { height: number };
  /** The places for the next layout of this diagram. */
  places: Places;
};

/**
 * Computes the layout of hosts in groups. Some hosts are gateways. `before` has the places of an earlier layout.
 * `folded` has the keys of the groups that are shown as one card.
 */
export function layout(hosts: readonly Placed[], groups: readonly Group[], before: Places, folded: ReadonlySet<string>): Layout {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const plain = groups.length === 1 && groups[0]?.key === "";
  const most = PIPES_MAX + (before["hosts"] !== undefined ? SLACK : before[""] !== undefined ? -SLACK : 0);
  return plain && hosts.length <= most ? panel(hosts, before) : framed(byName, groups, before, folded);
}

/** A small network, with a pipe for each host. */
function panel(hosts: readonly Placed[], before: Places): Layout {
  const inner = hosts.filter((host) => !host.gateway).map((host) => host.name);
  const gates = hosts.filter((host) => host.gateway).map((host) => host.name);
  const tail = gates.length > 0 ? CARD.width + 2 * GUTTER + OUTSIDE.width : 0;
  const hop = hosts.some((host) => host.hop !== "") ? HOP : 0;
  const columns = best(inner.length, (wide) => RAIL.width + REACH + wide * (CARD.width + GUTTER + hop) + tail, (high) => Math.max(high, gates.length) * (CARD.height + GAP));
  const grid = settle(inner, before["hosts"], columns);
  const gateGrid = settle(gates, before["gateways"], 1);
  const first = inner.length === 0 ? 0 : grid.columns;
  const all = first + (gates.length === 0 ? 0 : gateGrid.columns);
  const above = LANE * Math.max(0, all - 1);
  const pitch = CARD.height + GAP + above;
  const rim = all > 1 ? RIM : 0;
  const columnOf = ({ name, gateway }: Placed) => (gateway ? first + (gateGrid.cells[name]?.[0] ?? 0) : (grid.cells[name]?.[0] ?? 0));
  // A column has room for the names of jump hosts only if some of its hosts are reached through one.
  const hops = new Set(hosts.filter((host) => host.hop !== "").map(columnOf));
  const xs = [RAIL.width + REACH + (hops.has(0) ? HOP : 0)];
  for (let column = 1; column < all; column += 1) {
    xs.push((xs[column - 1] as number) + CARD.width + GUTTER + (hops.has(column) ? HOP : 0));
  }
  const columnX = (column: number) => xs[column] ?? RAIL.width + REACH;

  const spots: Spot[] = [];
  const pipes: Pipe[] = [];
  const outside: Outer[] = [];
  for (const host of hosts) {
    const { name, gateway, hop } = host;
    const [, row = 0] = (gateway ? gateGrid : grid).cells[name] ?? [];
    const column = columnOf(host);
    const spot = { name, x: columnX(column), y: rim + above + row * pitch };
    spots.push(spot);
    pipes.push({ name, hop, ...pipe(spot, column, hops.has(column)) });
    if (gateway) {
      const x = columnX(all - 1) + CARD.width + GUTTER + 12;
      const y = spot.y + CARD.height / 2;
      outside.push({ name, x, y: spot.y, path: `M ${spot.x + CARD.width} ${y} H ${x - 7}` });
    }
  }
  const rows = Math.max(inner.length === 0 ? 0 : grid.rows, gates.length === 0 ? 0 : gateGrid.rows, 1);
  const height = Math.max(rows * pitch - GAP + 2 * rim, 150);
  // If there is only one row, it stands in the middle of the rail.
  const down = rows === 1 ? (height - (rows * pitch - GAP + 2 * rim)) / 2 : 0;
  const width = columnX(Math.max(0, all - 1)) + CARD.width + (gates.length > 0 ? GUTTER + 12 + OUTSIDE.width : 0);
  return lowered({ width, height, spots, pipes, frames: [], outside, rail: { height }, places: { hosts: grid, gateways: gateGrid } }, down);
}

function lowered(drawn: Layout, down: number): Layout {
  if (down === 0) {
    return drawn;
  }
  const move = <T extends { y: number }>(one: T): T => ({ ...one, y: one.y + down });
  return {
    ...drawn,
    spots: drawn.spots.map(move),
    pipes: drawn.pipes.map((one) => ({ ...one, path: shifted(one.path, down), jack: one.jack + down, end: move(one.end) })),
    outside: drawn.outside.map((one) => ({ ...move(one), path: shifted(one.path, down) })),
  };
}

/** The same path, `down` pixels lower. The path must consist of straight lines. */
function shifted(path: string, down: number): string {
  return path.replace(/^M (\S+) (\S+)/, (_, x: string, y: string) => `M ${x} ${Number(y) + down}`);
}

function pipe(spot: Spot, column: number, hop: boolean): { path: string; jack: number; end: { x: number; y: number } } {
  const end = { x: spot.x, y: spot.y + CARD.height / 2 };
  if (column === 0) {
    return { path: `M ${RAIL.width} ${end.y} H ${end.x}`, jack: end.y, end };
  }
  const lane = spot.y - GAP / 2 - LANE * (column - 1);
  const turn = spot.x - (hop ? HOP : 0) - GUTTER / 2;
  const path = [
    `M ${RAIL.width} ${lane}`,
    `H ${turn - BEND}`,
    `Q ${turn} ${lane} ${turn} ${lane + BEND}`,
    `V ${end.y - BEND}`,
    `Q ${turn} ${end.y} ${turn + BEND} ${end.y}`,
    `H ${end.x}`,
  ];
  return { path: path.join(" "), jack: lane, end };
}

type Block = { group: Group; folded: boolean; grid: Places[string]; width: number; height: number; gates: string[] };

/** A large network, or a network in groups: frames in rows. A trunk leads to each row. */
function framed(byName: ReadonlyMap<string, Placed>, groups: readonly Group[], before: Places, folded: ReadonlySet<string>): Layout {
  const places: Record<string, Places[string]> = {};
  const blocks = groups.map((group): Block => {
    const title = group.title === "" ? 0 : TITLE;
    // Gateways are placed at the right edge of their frame.
    const inner = group.hosts.filter((name) => byName.get(name)?.gateway !== true);
    const gates = group.hosts.filter((name) => byName.get(name)?.gateway === true);
    const isFolded = group.title !== "" && folded.has(group.key);
    const high = (rows: number) => rows * (CARD.height + NEAR) - NEAR + 2 * INSET + title;
    const wide = (columns: number) => columns * (CARD.width + NEAR) - NEAR + 2 * INSET;
    // A frame with a title is at least as wide as a folded one, so that the title has room.
    const least = title === 0 ? 0 : FOLDED.width;
    const grid = settle([...inner, ...gates], before[group.key], best(group.hosts.length, wide, high));
    places[group.key] = grid;
    return isFolded
      ? { group, folded: true, grid, ...FOLDED, gates: [] }
      : { group, folded: false, grid, width: Math.max(least, wide(grid.columns)), height: high(grid.rows), gates };
  });

  const lead = RAIL.width + REACH;
  const corners = shelved(blocks, { gap: APART, lead, aspect: ASPECT, step: CARD.width });
  const spots: Spot[] = [];
  const frames: Frame[] = [];
  const outside: Outer[] = [];
  let width = 0;
  let height = 0;
  const gatesBelow: string[] = [];
  blocks.forEach((block, at) => {
    const { x, y } = corners[at] as { x: number; y: number };
    const title = block.group.title === "" || block.folded ? 0 : TITLE;
    const jack = y + (block.folded ? FOLDED.height / 2 : TITLE / 2);
    const path = x === lead ? `M ${RAIL.width} ${jack} H ${x}` : `M ${x - APART} ${jack} H ${x}`;
    frames.push({ ...block.group, folded: block.folded, x, y, width: block.width, height: block.height, path, jack });
    if (!block.folded) {
      for (const name of block.group.hosts) {
        const [column = 0, row = 0] = block.grid?.cells[name] ?? [];
        spots.push({ name, x: x + INSET + column * (CARD.width + NEAR), y: y + title + INSET + row * (CARD.height + NEAR) });
      }
      gatesBelow.push(...block.gates);
    }
    width = Math.max(width, x + block.width);
    height = Math.max(height, y + block.height);
  });
  // The destinations of gateways stand below the frames. They stand below their gateway, or further to the left if
  // there is no room.
  const below = gatesBelow.map((name) => spots.find((spot) => spot.name === name) as Spot).reverse().toSorted((a, b) => b.x - a.x);
  let free = Math.max(width, lead + below.length * (OUTSIDE.wide + GAP));
  for (const spot of below) {
    const at = Math.min(spot.x, free - OUTSIDE.wide);
    const top = height + APART;
    outside.push({ name: spot.name, x: at, y: top, path: curve(spot.x + CARD.width / 2, spot.y + CARD.height, at + 24, top - 7) });
    free = at - GAP;
    width = Math.max(width, at + OUTSIDE.wide);
  }
  const railHeight = Math.max(height, 150);
  height = outside.length > 0 ? railHeight + APART + 90 : railHeight;
  return { width, height, spots, pipes: [], frames, outside, rail: { height: railHeight }, places };
}

function curve(x1: number, y1: number, x2: number, y2: number): string {
  const middle = (y1 + y2) / 2;
  return `M ${x1} ${y1} C ${x1} ${middle} ${x2} ${middle} ${x2} ${y2}`;
}

/** The number of columns with which a diagram of `count` cards can be drawn largest. */
function best(count: number, width: (columns: number) => number, height: (rows: number) => number): number {
  let found = 1;
  let most = 0;
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(count / columns);
    const scale = Math.min(ASPECT / width(columns), 1 / height(rows));
    if (scale > most) {
      most = scale;
      found = columns;
    }
  }
  return found;
}
