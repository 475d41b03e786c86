// Which rows of a long list are to be seen: arithmetic of heights, free of the page.

/** Where the rows of a list are. Heights are pixels. */
export type Rows = {
  count: number;
  /** Of all rows together. */
  height: number;
  /** Where a row begins; that of `count` is the end. */
  top(row: number): number;
  /** The row at a height; the last one for heights behind the end. */
  at(height: number): number;
};

/** Rows of one height. */
export function even(count: number, rowHeight: number): Rows {
  return {
    count,
    height: count * rowHeight,
    top: (row) => row * rowHeight,
    at: (height) => Math.max(0, Math.min(count - 1, Math.floor(height / rowHeight))),
  };
}

/** Rows of their own heights. */
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

/** The rows that are drawn: from `first` until before `end`, moved by `shift` pixels against the upper edge. */
export type Seen = { first: number; end: number; shift: number };

/** What is seen of a list that is scrolled so far, through a window so high. */
export function seen(rows: Rows, scrolled: number, high: number): Seen {
  if (rows.count === 0) {
    return { first: 0, end: 0, shift: 0 };
  }
  const top = Math.max(0, Math.min(scrolled, rows.height - high));
  const first = rows.at(top);
  // One row more than fits, so that half a row at each edge is drawn.
  const end = Math.min(rows.count, rows.at(top + high) + 2);
  return { first, end, shift: rows.top(first) - top };
}

/** How far to scroll so that a row is whole inside the window; where it is, if it is. */
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
