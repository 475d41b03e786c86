// The visible part of a diagram: how far the diagram is moved, and at which scale it is drawn.

export type Viewport = { x: number; y: number; zoom: number };
export type Box = { x: number; y: number; width: number; height: number };
/** A part of a diagram that a person has chosen, and the subject of the diagram at that time. */
export type Look = { of: string; viewport: Viewport };
type Size = { width: number; height: number };

export const ZOOM = { least: 0.02, most: 2 };
/** The largest zoom of a small diagram when it is fitted into the window. */
const FIT_MOST = 1.4;
/** The space around a fitted diagram. The tools are in the space at the bottom. */
const MARGIN = { side: 20, top: 16, bottom: 52 };

/** How much a card shows, from the least to the most. Each level shows what can be read at its size. */
export const LEVELS = ["dot", "name", "brief", "card"] as const;
export type Level = (typeof LEVELS)[number];

export function levelOf(zoom: number): Level {
  return zoom >= 0.78 ? "card" : zoom >= 0.46 ? "brief" : zoom >= 0.24 ? "name" : "dot";
}

/** The viewport in which the whole box is visible, in the middle. */
export function fitted(box: Box, window: Size, most = FIT_MOST): Viewport {
  const wide = Math.max(1, window.width - 2 * MARGIN.side);
  const high = Math.max(1, window.height - MARGIN.top - MARGIN.bottom);
  const zoom = clamped(Math.min(wide / Math.max(1, box.width), high / Math.max(1, box.height), most));
  return {
    zoom,
    x: MARGIN.side + (wide - box.width * zoom) / 2 - box.x * zoom,
    y: MARGIN.top + (high - box.height * zoom) / 2 - box.y * zoom,
  };
}

/** The viewport with a different zoom. The point `at` of the window does not move. */
export function zoomed(view: Viewport, factor: number, at: { x: number; y: number }): Viewport {
  const zoom = clamped(view.zoom * factor);
  const by = zoom / view.zoom;
  return { zoom, x: at.x - (at.x - view.x) * by, y: at.y - (at.y - view.y) * by };
}

/** The part of the diagram that the window shows. */
export function inSight(view: Viewport, window: Size): Box {
  return { x: -view.x / view.zoom, y: -view.y / view.zoom, width: window.width / view.zoom, height: window.height / view.zoom };
}

/** The viewport, moved only as far as necessary to make a box visible. */
export function revealed(view: Viewport, box: Box, window: Size): Viewport {
  const into = (from: number, size: number, all: number) => {
    const begin = Math.max(0, MARGIN.side - from);
    return from + size > all - MARGIN.side ? Math.min(begin, all - MARGIN.side - from - size) : begin;
  };
  const x = box.x * view.zoom + view.x;
  const y = box.y * view.zoom + view.y;
  return { ...view, x: view.x + into(x, box.width * view.zoom, window.width), y: view.y + into(y, box.height * view.zoom, window.height) };
}

export function contains(outer: Box, inner: Box): boolean {
  return inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width && inner.y + inner.height <= outer.y + outer.height;
}

/** The smallest box around all boxes; null if there are none. */
export function around(boxes: readonly Box[]): Box | null {
  if (boxes.length === 0) {
    return null;
  }
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const box of boxes) {
    left = Math.min(left, box.x);
    top = Math.min(top, box.y);
    right = Math.max(right, box.x + box.width);
    bottom = Math.max(bottom, box.y + box.height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function clamped(zoom: number): number {
  return Math.min(ZOOM.most, Math.max(ZOOM.least, zoom));
}
