// The places of hosts in a grid. A host keeps its place when other hosts are added or removed, so that people find it
// again.

import { Kept } from "../../lib/diagram/kept";

/** The column and the row of each host. */
export type Grid = { columns: number; rows: number; cells: Record<string, [number, number]> };

/**
 * The grid for these hosts. Hosts that were in the grid `before` keep their places, and new hosts take free places.
 * `columns` is the number of columns that suits the window. It is used for a new grid. A grid that is full grows by a
 * row or a column.
 */
export function settle(names: readonly string[], before: Grid | undefined, columns: number): Grid {
  const wanted = Math.max(1, columns);
  const known = before === undefined ? [] : names.filter((name) => Object.hasOwn(before.cells, name));
  // If fewer than half of the places are still taken, the grid would be full of holes, so a new one is made.
  if (before === undefined || known.length * 2 < before.columns * before.rows) {
    return filled(names, { columns: Math.min(wanted, Math.max(1, names.length)), rows: Math.max(1, Math.ceil(names.length / wanted)), cells: {} });
  }
  const cells: Grid["cells"] = {};
  for (const name of known) {
    cells[name] = before.cells[name] as [number, number];
  }
  return filled(names, { columns: before.columns, rows: before.rows, cells });
}

/** Puts the hosts without a place into free places, column by column. */
function filled(names: readonly string[], start: Grid): Grid {
  const grid = { ...start, cells: { ...start.cells } };
  const taken = new Set(Object.values(grid.cells).map(String));
  for (const name of names) {
    if (Object.hasOwn(grid.cells, name)) {
      continue;
    }
    let cell = free(grid, taken);
    if (cell === null) {
      // A place is about three times as wide as high.
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

export type Places = Record<string, Grid>;

/** The stored grids of the 24 diagrams that have changed last. Each network has a diagram for each way of grouping. */
export const kept = new Kept<Places>("norouter.places", 24);
