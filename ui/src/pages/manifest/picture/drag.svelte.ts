// The drags with the pointer in the picture. A press that moves less than a few pixels is a click, and not a drag.
import type { Point } from "./arrange";
import type { Kind } from "./kinds";

export type Drag =
  /** Cards that are moved. */
  | { kind: "cards"; names: ReadonlySet<string>; dx: number; dy: number }
  /** A port that is pulled off its card. `isAway` is true if releasing the pointer would remove the port. */
  | { kind: "socket"; host: string; number: number; text: string; was: string; at: Point; isAway: boolean }
  /**
   * A new route that is pulled out of a host. If `over` is the number of a route, that route would get the host as a
   * further gateway.
   */
  | { kind: "link"; host: string; at: Point; over: number | null }
  /**
   * A cloud that is moved. If `over` is the name of a host, that host would become the gateway of the cloud's route.
   */
  | { kind: "cloud"; cloud: number; was: string; from: Point; at: Point; over: string | null }
  | { kind: "marquee"; from: Point; at: Point }
  /** A new host of the kind `of`, from the palette. */
  | { kind: "new"; of: Kind; client: Point; isInside: boolean };

/** The parts of the picture that the drags use: the places of things, and the action at the end of a drag. */
export type Ground = {
  element: () => HTMLElement;
  /** Converts a position in the window to a position in the picture. */
  pointAt: (client: Point) => Point;
  /** The scale at which the picture is drawn. */
  zoom: () => number;
  canEdit: () => boolean;
  /** The cards that move together with a card. */
  together: (host: string) => ReadonlySet<string>;
  /**
   * The text of a port of a host, or of a route if `host` is null. A drag keeps this text, because the number may
   * belong to another port or route when the pointer is released.
   */
  said: (host: string | null, number: number) => string;
  drop: (drag: Drag) => void;
};

/** The number of pixels that the pointer moves before a press counts as a drag. */
const LEAST = 4;
/** If a port is dragged at least this many pixels away from its card, releasing the pointer removes the port. */
const AWAY = 24;

export class Drags {
  now = $state.raw<Drag | null>(null);
  #listening: AbortController | null = null;
  #press: { id: number; client: Point; begin: (client: Point) => Drag | null } | null = null;
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Handles a pointer press in the picture. Returns whether a drag can follow; if not, the whole picture is moved. */
  press(event: PointerEvent): boolean {
    const begin = event.button === 0 && event.target instanceof Element ? this.#beginning(event.target, event) : null;
    if (begin !== null) {
      this.#listen(event, begin);
    }
    return begin !== null;
  }

  /** Handles a pointer press on an entry of the palette. `of` is the kind of host that the entry adds. */
  pressKind(event: PointerEvent, of: Kind): void {
    if (event.button === 0) {
      this.#listen(event, (client) => ({ kind: "new", of, client, isInside: false }));
    }
  }

  cancel(): void {
    this.#listening?.abort();
    this.#press = null;
    this.now = null;
  }

  #listen(event: PointerEvent, begin: (client: Point) => Drag | null): void {
    this.cancel();
    this.#press = { id: event.pointerId, client: { x: event.clientX, y: event.clientY }, begin };
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const isMine = (other: PointerEvent) => other.pointerId === event.pointerId;
    window.addEventListener("pointermove", (move) => this.#move(move), { signal });
    window.addEventListener("pointerup", (up) => isMine(up) && this.#release(up), { signal });
    window.addEventListener("pointercancel", (other) => isMine(other) && this.cancel(), { signal });
    window.addEventListener("keydown", (key) => {
      if (key.key === "Escape" && this.now !== null) {
        key.preventDefault();
        key.stopPropagation();
        this.cancel();
      }
    }, { signal, capture: true });
  }

  #beginning(target: Element, event: PointerEvent): ((client: Point) => Drag | null) | null {
    if (target.closest("input, [data-own]") !== null) {
      return null;
    }
    const grip = target.closest<HTMLElement>("[data-grip]");
    const host = target.closest<HTMLElement>("[data-host]")?.dataset["host"];
    const { pointAt, together, canEdit, said } = this.#ground;
    switch (grip?.dataset["grip"]) {
      case undefined:
        return event.shiftKey && target.closest("button, .map") === null ? (client) => ({ kind: "marquee", from: pointAt(client), at: pointAt(client) }) : null;
      case "cloud": {
        const cloud = Number(grip?.dataset["cloud"]);
        const was = said(null, cloud);
        return (client) => ({ kind: "cloud", cloud, was, from: pointAt(client), at: pointAt(client), over: null });
      }
      case "socket": {
        const number = Number(grip?.dataset["number"]);
        const was = said(host ?? "", number);
        const text = grip?.querySelector("b")?.textContent ?? "";
        return (client) => (canEdit() && host !== undefined ? { kind: "socket", host, number, text, was, at: pointAt(client), isAway: false } : null);
      }
      case "link":
        return (client) => (canEdit() && host !== undefined ? { kind: "link", host, at: pointAt(client), over: null } : null);
      default:
        return host === undefined ? null : () => ({ kind: "cards", names: together(host), dx: 0, dy: 0 });
    }
  }

  #move(event: PointerEvent): void {
    const press = this.#press;
    if (press === null || event.pointerId !== press.id) {
      return;
    }
    const client = { x: event.clientX, y: event.clientY };
    const [dx, dy] = [client.x - press.client.x, client.y - press.client.y];
    if (this.now === null) {
      if (Math.hypot(dx, dy) < LEAST) {
        return;
      }
      this.now = press.begin(press.client);
      getSelection()?.removeAllRanges();
    }
    this.now = this.now === null ? null : this.#dragged(this.now, client, dx, dy);
  }

  #dragged(drag: Drag, client: Point, dx: number, dy: number): Drag {
    const { pointAt, zoom, element, canEdit } = this.#ground;
    const at = pointAt(client);
    const below = document.elementFromPoint(client.x, client.y);
    switch (drag.kind) {
      case "cards":
        return { ...drag, dx: dx / zoom(), dy: dy / zoom() };
      case "marquee":
        return { ...drag, at };
      case "socket": {
        const box = element().querySelector(`[data-host="${CSS.escape(drag.host)}"]`)?.getBoundingClientRect();
        const isAway = box !== undefined && (client.x < box.left - AWAY || client.x > box.right + AWAY || client.y < box.top - AWAY || client.y > box.bottom + AWAY);
        return { ...drag, at, isAway };
      }
      case "link": {
        const over = below?.closest<HTMLElement>("[data-cloud]")?.dataset["cloud"];
        return { ...drag, at, over: over === undefined ? null : Number(over) };
      }
      case "cloud":
        return { ...drag, at, over: canEdit() ? (below?.closest<HTMLElement>("[data-host]")?.dataset["host"] ?? null) : null };
      case "new": {
        const box = element().getBoundingClientRect();
        return { ...drag, client, isInside: client.x > box.left && client.x < box.right && client.y > box.top && client.y < box.bottom };
      }
    }
  }

  #release(event: PointerEvent): void {
    const drag = this.now;
    this.cancel();
    if (drag !== null) {
      // A drag ends with a click. That click must not open or select anything.
      const stop = (click: MouseEvent) => {
        click.preventDefault();
        click.stopPropagation();
      };
      window.addEventListener("click", stop, { capture: true, once: true });
      setTimeout(() => window.removeEventListener("click", stop, { capture: true }));
      event.preventDefault();
      this.#ground.drop(drag);
    }
  }
}
