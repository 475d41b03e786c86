// Calculates, from the heights of rows, which rows of a long list are visible. It does not use the page, so it can be
// tested.

/** The heights and positions of the rows of a list, in pixels. */
export type Rows = {
  count: number;
  /** The total height of all rows. */
  height: number;
  /** The position at which a row begins. The position of row `count` is the end of the list. */
  top(row: number): number;
  /** The row at a position. For positions after the end, this is the last row. */
  at(height: number): number;
};

/** Rows that all have the same height. */
export function even(count: number, rowHeight: number): Rows {
  return {
    count,
    height: count * rowHeight,
    top: (row) => row * rowHeight,
    at: (height) => Math.max(0, Math.min(count - 1, Math.floor(height / rowHeight))),
  };
}

/** Rows with different heights. */
export function uneven(heights: readonly number[]): Rows {
  const tops = new Float64Array(heights.length + 1);
  heights.forEach((height, row) => (tops[row + 1] = (tops[row] ?? 0) + height));
  return {
    count: heights.length,
    height: tops[heights.length] ?? 0,
    top: (row) => tops[Math.max(0, Math.min(row, heights.length))] ?? 0,
    at: (height) => {
      let low = 0;
      let high = heights.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((tops[middle] ?? 0) <= height) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      return Math.max(0, low);
    },
  };
}

/**
 * The rows that are drawn: from `first` up to, but not including, `end`. The row `first` begins `shift` pixels below
 * the upper edge. A negative `shift` means above the edge.
 */
export type Seen = { first: number; end: number; shift: number };

/** The visible rows of a list that is scrolled by `scrolled` pixels, in a window that is `high` pixels high. */
export function seen(rows: Rows, scrolled: number, high: number): Seen {
  if (rows.count === 0) {
    return { first: 0, end: 0, shift: 0 };
  }
  const top = Math.max(0, Math.min(scrolled, rows.height - high));
  const first = rows.at(top);
  // One row more than fits is drawn, because the rows at the two edges may be visible only in part.
  const end = Math.min(rows.count, rows.at(top + high) + 2);
  return { first, end, shift: rows.top(first) - top };
}

/** The scroll position at which a whole row is visible. If the row is already visible, the position does not change. */
export function reveal(rows: Rows, row: number, scrolled: number, high: number): number {
  const top = rows.top(row);
  const bottom = rows.top(row + 1);
  if (top < scrolled) {
    return top;
  }
  if (bottom > scrolled + high) {
    return bottom - high;
  }
  return scrolled;
}
