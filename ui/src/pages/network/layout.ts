// The layout of the picture: the places of the hosts, and the ways of their pipes.
//
// The manager is a rail at the left, as a patch panel is. Hosts stand in columns beside it; the pipe of a host in the
// first column is straight, and one that goes further runs above the cards that it passes, in a lane of its own column.
// Gateways come last, so that their destinations can stand at their right.

export const CARD = { width: 256, height: 84 };
export const RAIL = { width: 148 };
export const OUTSIDE = { width: 212 };
/** The space between the columns, in which a pipe bends down. */
const GUTTER = 52;
/** The space between two cards, without the lanes. */
const GAP = 18;
const LANE = 9;
/** How far the rail extends beyond the outermost lanes. */
const RIM = 12;
/** The space between the rail and the first column. */
const REACH = 72;
const BEND = 7;
/** The ratio of width to height that the picture should have: about that of the window. */
const ASPECT = 1.75;

export type Spot = { name: string; x: number; y: number; column: number; row: number };
export type Layout = {
  spots: Spot[];
  /** The pipe of each host, as an SVG path, with the place where it begins on the rail. */
  pipes: { name: string; path: string; jack: number; end: { x: number; y: number } }[];
  outside: { name: string; x: number; y: number; path: string }[];
  rail: { height: number };
};

/** A layout of hosts, of which some are gateways, in the order of the manifest. */
export function layout(hosts: { name: string; gateway: boolean }[]): Layout {
  const order = [...hosts.filter((host) => !host.gateway), ...hosts.filter((host) => host.gateway)];
  const rows = rowsFor(order.length, hosts.filter((host) => host.gateway).length);
  const columns = Math.max(1, Math.ceil(order.length / rows));
  const above = LANE * (columns - 1);
  const pitch = CARD.height + GAP + above;
  const rim = columns > 1 ? RIM : 0;

  const spots = order.map((host, index): Spot => {
    const column = Math.floor(index / rows);
    const row = index % rows;
    return { name: host.name, column, row, x: columnX(column), y: rim + above + row * pitch };
  });
  const pipes = spots.map((spot) => ({ name: spot.name, ...pipe(spot) }));
  const outside = spots
    .filter((_, index) => order[index]?.gateway === true)
    .map((spot) => {
      const x = columnX(columns - 1) + CARD.width + GUTTER + 12;
      const y = spot.y + CARD.height / 2;
      return { name: spot.name, x, y: spot.y, path: `M ${spot.x + CARD.width} ${y} H ${x - 7}` };
    });
  const used = Math.min(rows, Math.max(1, order.length));
  return { spots, pipes, outside, rail: { height: Math.max(used * pitch - GAP + 2 * rim, 170) } };
}

/** The number of rows that gives about the shape of the window. All gateways fit into the last column. */
function rowsFor(hosts: number, gateways: number): number {
  const column = CARD.width + GUTTER;
  const square = Math.sqrt((hosts * column) / (CARD.height + GAP) / ASPECT);
  return Math.max(Math.min(4, hosts), Math.ceil(square), gateways, 1);
}

function columnX(column: number): number {
  return RAIL.width + REACH + column * (CARD.width + GUTTER);
}

function pipe(spot: Spot): { path: string; jack: number; end: { x: number; y: number } } {
  const end = { x: spot.x, y: spot.y + CARD.height / 2 };
  if (spot.column === 0) {
    return { path: `M ${RAIL.width} ${end.y} H ${end.x}`, jack: end.y, end };
  }
  const lane = spot.y - GAP / 2 - LANE * (spot.column - 1);
  const turn = spot.x - GUTTER / 2;
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

export type Direction = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";

/** The host that an arrow key leads to: the nearest one in the next row or column, or `null` at the edge. */
export function neighbour(spots: Spot[], from: string, key: Direction): string | null {
  const here = spots.find((spot) => spot.name === from);
  if (here === undefined) {
    return null;
  }
  const column = here.column + (key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0);
  const row = here.row + (key === "ArrowDown" ? 1 : key === "ArrowUp" ? -1 : 0);
  const there = spots.filter((spot) => spot.column === column && spot !== here);
  const exact = there.find((spot) => spot.row === row);
  if (exact !== undefined || column === here.column) {
    return exact?.name ?? null;
  }
  return there.filter((spot) => spot.row < row).at(-1)?.name ?? null;
}
