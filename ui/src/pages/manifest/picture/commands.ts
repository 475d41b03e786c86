// The actions of the keys, the menus and the buttons of the picture.
import { type Direction, neighbour } from "../../../lib/diagram/neighbour";
import { selection } from "../../../lib/manifest/selection.svelte";
import { views } from "../../../lib/manifest/views.svelte";
import { actions } from "./actions";
import { GRID, moved } from "./arrange";
import type { Commands } from "./keyboard";
import type { Scene } from "./scene.svelte";
import { keys, view } from "./view.svelte";

/** The parts of the picture on the page that the commands use. */
export type Place = {
  scene: Scene;
  canEdit: () => boolean;
  add: () => void;
  find: () => void;
  /** Gives the focus to a card, a cloud or a folded group; without a name, to the picture. */
  focus: (name: string | null) => Promise<void>;
};

/** The card (`web1`), the cloud (`#2`) or the folded group (`/web`) that has the focus; `null` if none has it. */
export function aboutOf(target: EventTarget | null): string | null {
  const one = target instanceof Element ? target.closest<HTMLElement>("[data-host], [data-cloud], [data-group]") : null;
  const { host, cloud, group } = one?.dataset ?? {};
  return host ?? (cloud !== undefined ? `#${cloud}` : group !== undefined ? `/${group}` : null);
}

export function select(about: string, extend: boolean): void {
  if (about.startsWith("#")) {
    selection.onlyRoute(Number(about.slice(1)));
  } else if (!about.startsWith("/")) {
    if (extend) {
      selection.route = selection.part = null;
      selection.hosts.add(about);
    } else {
      selection.only(about);
    }
  }
}

export type Acting = { commands: Commands; chosen: (about: string) => string[]; reorder: (about: string, by: 1 | -1) => void };

export function acting({ scene, canEdit, add, find, focus }: Place): Acting {
  /** Gives the focus to something after an edit, if the edit was made. */
  async function focusAfter(done: boolean | Promise<boolean>, name: () => string | null) {
    if (await done) {
      await focus(name());
    }
  }

  /** The hosts that a command is about: all that are selected, if the one with the focus is among them. */
  function chosen(about: string): string[] {
    const names = selection.hosts.has(about) ? [...selection.hosts] : [about];
    return names.filter((name) => scene.cards.has(name) && scene.cards.get(name)?.change !== "removed");
  }

  /** Opens the field in which a part of a card or a cloud is edited. `key` names the part. */
  function edit(about: string, key: string) {
    if (canEdit() && (about.startsWith("#") || chosen(about).length > 0)) {
      scene.uncover(about);
      view.active = about;
      view.editing = key;
    }
  }

  const commands: Commands = {
    add,
    find,
    all: () => scene.picture.cards.forEach((card) => card.change !== "removed" && selection.hosts.add(card.name)),
    clear: () => {
      const had = selection.hosts.size > 0 || selection.route !== null;
      selection.clear();
      return had;
    },
    leave: (about) => void focus(about),
    move: (key, extend) => {
      const next = neighbour(scene.stops, view.active ?? scene.active ?? "", key as Direction);
      if (next !== null) {
        select(next, extend);
        void focus(next);
      }
    },
    shift: (key) => {
      const about = scene.active ?? "";
      const by = { ArrowLeft: [-GRID, 0], ArrowRight: [GRID, 0], ArrowUp: [0, -GRID], ArrowDown: [0, GRID] }[key] as [number, number];
      if (about.startsWith("#")) {
        scene.moveCloud(Number(about.slice(1)), ...by);
        return;
      }
      view.place(scene.isGrouped, moved(scene.arranged, new Set(chosen(about)), ...by));
    },
    open: (about) => {
      select(about, false);
      views.show("form");
    },
    toggle: (about) => void (selection.hosts.delete(about) || select(about, true)),
    rename: (about) => edit(about, keys.name(about)),
    target: (about) => scene.cards.get(about)?.target && edit(about, keys.target(about)),
    vip: (about) => edit(about, keys.vip(about)),
    port: (about) => edit(about, keys.port(about, "new")),
    route: (about) => {
      if (canEdit() && chosen(about).length > 0) {
        scene.uncover(about);
        view.newRoute = about;
      }
    },
    removePort: (socket) => {
      const host = aboutOf(socket);
      const one = scene.cards.get(host ?? "")?.sockets[Number(socket.dataset["number"])];
      if (canEdit() && host !== null && one !== undefined) {
        void actions.removePort(host, one.number, one.port).then(() => focus(host));
      }
    },
    removeChip: (about, chip) => {
      const [list, number] = (chip.dataset["chip"] ?? "").split(" ") as ["to" | "notTo", string];
      const pattern = scene.clouds.get(about.slice(1))?.[list][Number(number)];
      if (canEdit() && pattern !== undefined) {
        void actions.removePattern(Number(about.slice(1)), list, pattern.number, pattern.text).then(() => focus(about));
      }
    },
    remove: (about) => {
      const next = ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft"].map((key) => neighbour(scene.stops, about, key as Direction)).find((name) => name !== null && !selection.hosts.has(name)) ?? null;
      const done = !canEdit() ? Promise.resolve(false) : about.startsWith("#") ? actions.removeRoute(Number(about.slice(1))) : actions.removeHosts(chosen(about));
      void focusAfter(done, () => (next?.startsWith("#") ? scene.active : next));
    },
    duplicate: async (about) => {
      const [copy] = await actions.duplicate(chosen(about));
      void focusAfter(copy !== undefined, () => copy ?? null);
    },
    earlier: (about) => reorder(about, -1),
    later: (about) => reorder(about, 1),
    destination: (about) => edit(about, keys.pattern(Number(about.slice(1)), "to", "new")),
    exception: (about) => edit(about, keys.pattern(Number(about.slice(1)), "notTo", "new")),
  };

  function reorder(about: string, by: 1 | -1) {
    const at = Number(about.slice(1));
    void focusAfter(canEdit() && actions.moveRoute(at, by), () => (scene.clouds.has(String(at + by)) ? `#${at + by}` : about));
  }

  return { commands, chosen, reorder };
}
