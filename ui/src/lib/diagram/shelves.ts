// Arranges blocks of different sizes in rows, like books on shelves.

type Size = { width: number; height: number };

/**
 * The width of the shelves with which the whole drawing can be drawn largest. `aspect` is the ratio of width to height
 * that the drawing should have. `lead` is the width of the part at its left. `step` is the difference between the
 * widths that are tried.
 */
export function shelfWidth(blocks: readonly Size[], { gap, lead, aspect, step }: { gap: number; lead: number; aspect: number; step: number }): number {
  const widest = Math.max(0, ...blocks.map((block) => block.width));
  let found = widest;
  let most = 0;
  for (let limit = widest; limit <= blocks.reduce((sum, block) => sum + block.width + gap, 0) + widest; limit += step) {
    let x = 0;
    let y = 0;
    let high = 0;
    let wide = 0;
    for (const block of blocks) {
      if (x > 0 && x + block.width > limit) {
        y += high + gap;
        x = 0;
        high = 0;
      }
      x += block.width + gap;
      high = Math.max(high, block.height);
      wide = Math.max(wide, x - gap);
    }
    const scale = Math.min(aspect / (wide + lead), 1 / (y + high));
    if (scale > most) {
      most = scale;
      found = limit;
    }
  }
  return found;
}
