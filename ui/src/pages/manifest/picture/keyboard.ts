// The keys of the picture. Everything that the pointer can do has a key.
import { DIRECTIONS } from "../../../lib/diagram/neighbour";
import { hasMod } from "../../../lib/keys";

/**
 * The actions of the keys. `about` is the card (a name), the cloud (`#2`) or the folded group (`/web`) that has the
 * focus.
 */
export type Commands = {
  add: () => void;
  find: () => void;
  all: () => void;
  clear: () => boolean;
  /** Leaves a part of a card or a cloud, and gives the focus to the whole. */
  leave: (about: string) => void;
  move: (key: string, extend: boolean) => void;
  shift: (key: string) => void;
  open: (about: string) => void;
  toggle: (about: string) => void;
  rename: (about: string) => void;
  target: (about: string) => void;
  vip: (about: string) => void;
  port: (about: string) => void;
  route: (about: string) => void;
  removePort: (socket: HTMLElement) => void;
  removeChip: (cloud: string, chip: HTMLElement) => void;
  remove: (about: string) => void;
  duplicate: (about: string) => unknown;
  earlier: (about: string) => void;
  later: (about: string) => void;
  destination: (about: string) => void;
  exception: (about: string) => void;
};

/** The keys that work on a card. */
const CARD: Record<string, keyof Commands> = { F2: "rename", t: "target", a: "vip", p: "port", r: "route", Delete: "remove", Backspace: "remove", Enter: "open", " ": "toggle" };
/** The keys that work on a cloud. */
const CLOUD: Record<string, keyof Commands> = { "[": "earlier", "]": "later", d: "destination", x: "exception", Delete: "remove", Backspace: "remove", Enter: "open" };

/**
 * Performs the action of a key. Returns whether the key has one. `about` is null if nothing in the picture has the
 * focus.
 */
export function run(event: KeyboardEvent, about: string | null, commands: Commands): boolean {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const focused = event.target instanceof Element ? event.target : null;
  if (hasMod(event)) {
    const wanted = { f: commands.find, a: commands.all, d: () => about !== null && !about.startsWith("/") && commands.duplicate(about) }[key];
    wanted?.();
    return wanted !== undefined;
  }
  if (key === "n" && !event.altKey) {
    commands.add();
    return true;
  }
  // Inside a card, Tab moves between the buttons, and the buttons have keys of their own.
  const inner = focused?.closest<HTMLElement>("button");
  if (key === "Escape") {
    if (about !== null && inner && inner.dataset["group"] === undefined) {
      commands.leave(about);
      return true;
    }
    return commands.clear();
  }
  if (about === null) {
    return false;
  }
  if (DIRECTIONS.includes(key)) {
    if (event.altKey) {
      commands.shift(key);
    } else {
      commands.move(key, event.shiftKey);
    }
    return true;
  }
  if (event.altKey) {
    return false;
  }
  if (inner && (key === "Enter" || key === " ")) {
    return false;
  }
  if (inner && (key === "Delete" || key === "Backspace")) {
    if (inner.dataset["socket"] !== undefined) {
      commands.removePort(inner);
      return true;
    }
    if (inner.dataset["chip"] !== undefined) {
      commands.removeChip(about, inner);
      return true;
    }
  }
  const command = about.startsWith("/") ? undefined : (about.startsWith("#") ? CLOUD : CARD)[key];
  if (command === undefined) {
    return false;
  }
  (commands[command] as (about: string) => void)(about);
  return true;
}
