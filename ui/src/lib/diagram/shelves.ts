// Arranges blocks of different sizes in rows, like books on shelves.

type Size = { width: number; height: number };

/**
 * The place of each block, on shelves with which the whole drawing can be drawn largest. `gap` is the space between two
 * blocks. `aspect` is the ratio of width to height that the drawing should have. `lead` is the width of the part at its
 * left, where no block stands. `step` is the difference between the widths of shelves that are tried.
 */
export function shelved(blocks: readonly Size[], { gap, lead, aspect, step }: { gap: number; lead: number; aspect: number; step: number }): { x: number; y: number }[] {
  const widest = Math.max(0, ...blocks.map((block) => block.width));
  let found = widest;
  let most = 0;
  for (let limit = widest; limit <= blocks.reduce((sum, block) => sum + block.width + gap, 0) + widest; limit += step) {
    const { width, height } = filled(blocks, limit, gap, () => {});
    const scale = Math.min(aspect / (width + lead), 1 / height);
    if (scale > most) {
      most = scale;
      found = limit;
    }
  }
  const places: { x: number; y: number }[] = [];
  filled(blocks, found, gap, (x, y) => places.push({ x: lead + x, y }));
  return places;
}

/** Puts blocks on shelves of this width, and tells the place of each. Returns the size of everything. */
function filled(blocks: readonly Size[], limit: number, gap: number, place: (x: number, y: number) => void): Size {
  let x = 0;
  let y = 0;
  let high = 0;
  let width = 0;
  for (const block of blocks) {
    if (x > 0 && x + block.width > limit) {
      y += high + gap;
      x = 0;
      high = 0;
    }
    place(x, y);
    x += block.width + gap;
    high = Math.max(high, block.height);
    width = Math.max(width, x - gap);
  }
  return { width, height: y + high };
}
