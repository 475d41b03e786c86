// Finds the box to which an arrow key leads in a diagram.
import type { Box } from "./viewport";

export type Direction = "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight";
export const DIRECTIONS: readonly string[] = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"] satisfies Direction[];

/** The box to which an arrow key leads. This is the nearest one in that direction, or `null` at the edge. */
export function neighbour(boxes: readonly (Box & { name: string })[], from: string, key: Direction): string | null {
  const here = boxes.find((box) => box.name === from);
  if (here === undefined) {
    return null;
  }
  const sideways = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  let found: { name: string; far: number } | null = null;
  for (const box of boxes) {
    const ahead = sign * (sideways ? box.x - here.x : box.y - here.y);
    const aside = Math.abs(sideways ? box.y + box.height / 2 - here.y - here.height / 2 : box.x - here.x);
    if (ahead <= 0 || (!sideways && aside >= Math.max(here.width, box.width))) {
      continue;
    }
    const far = ahead + 3 * aside;
    if (found === null || far < found.far) {
      found = { name: box.name, far };
    }
  }
  return found?.name ?? null;
}
