// The places of hosts in a grid. A host keeps its place when others come and go, so that people find it again.

/** The column and the row of each host. */
export type Grid = { columns: number; rows: number; cells: Record<string, [number, number]> };

/**
 * The grid for these hosts. Hosts of the grid before keep their places, and new ones take free places. A grid that is
 * full grows by a row or a column, whichever brings it nearer to `columns`, the number of columns that suits the window.
 */
export function settle(names: readonly string[], before: Grid | undefined, columns: number): Grid {
  const wanted = Math.max(1, columns);
  const known = before === undefined ? [] : names.filter((name) => Object.hasOwn(before.cells, name));
  // A grid of which most hosts are gone would be full of holes.
  if (before === undefined || known.length * 2 < before.columns * before.rows) {
    return filled(names, { columns: Math.min(wanted, Math.max(1, names.length)), rows: Math.max(1, Math.ceil(names.length / wanted)), cells: {} });
  }
  const cells: Grid["cells"] = {};
  for (const name of known) {
    cells[name] = before.cells[name] as [number, number];
  }
  return filled(names, { columns: before.columns, rows: before.rows, cells });
}

/** Puts the hosts that have no place yet into free ones, column by column. */
function filled(names: readonly string[], start: Grid): Grid {
  const grid = { ...start, cells: { ...start.cells } };
  const taken = new Set(Object.values(grid.cells).map(String));
  for (const name of names) {
    if (Object.hasOwn(grid.cells, name)) {
      continue;
    }
    let cell = free(grid, taken);
    if (cell === null) {
      // Cells are about three times as wide as high.
      if (grid.columns * 2 <= grid.rows) {
        grid.columns += 1;
      } else {
        grid.rows += 1;
      }
      cell = free(grid, taken) as [number, number];
    }
    taken.add(String(cell));
    grid.cells[name] = cell;
  }
  return grid;
}

function free(grid: Grid, taken: ReadonlySet<string>): [number, number] | null {
  for (let column = 0; column < grid.columns; column += 1) {
    for (let row = 0; row < grid.rows; row += 1) {
      if (!taken.has(String([column, row]))) {
        return [column, row];
      }
    }
  }
  return null;
}

const KEY = "norouter.places";
/** The number of diagrams whose places are kept: one for each network and grouping. */
const KEPT = 24;

export type Places = Record<string, Grid>;

/** The places of a diagram as they were last; none if it is new. */
export function recall(diagram: string): Places {
  return read()[diagram] ?? {};
}

export function remember(diagram: string, places: Places): void {
  const { [diagram]: before, ...others } = read();
  if (JSON.stringify(before) !== JSON.stringify(places)) {
    const kept = [...Object.entries(others), [diagram, places]].slice(-KEPT);
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(kept)));
  }
}

function read(): Record<string, Places> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return typeof found === "object" && found !== null && !Array.isArray(found) ? (found as Record<string, Places>) : {};
  } catch {
    return {};
  }
}
