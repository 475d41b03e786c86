// The menus of the picture. They list everything that can be done with a card or a cloud, and the key for each action.
import type { MenuItem } from "../../../lib/menu.svelte";
import { t } from "../../../lib/strings";
import type { Commands } from "./keyboard";
import { type Kind, KINDS } from "./kinds";

const words = t.picture.menu;

export function kindMenu(choose: (kind: Kind) => void): MenuItem[][] {
  return [KINDS.map((kind): MenuItem => ({ label: t.picture.palette.kinds[kind.id], choose: () => choose(kind) }))];
}

export function cardMenu(name: string, mod: string, canEdit: boolean, commands: Commands): MenuItem[][] {
  const open: MenuItem = { label: words.form, hint: "Enter", choose: () => commands.open(name) };
  if (!canEdit) {
    return [[open]];
  }
  return [
    [
      { label: words.port, hint: "P", choose: () => commands.port(name) },
      { label: words.route, hint: "R", choose: () => commands.route(name) },
    ],
    [
      { label: words.rename, hint: "F2", choose: () => commands.rename(name) },
      { label: words.target, hint: "T", choose: () => commands.target(name) },
      { label: words.vip, hint: "A", choose: () => commands.vip(name) },
      open,
    ],
    [
      { label: words.duplicate, hint: `${mod} D`, choose: () => commands.duplicate(name) },
      { label: words.remove, hint: "Del", danger: true, choose: () => commands.remove(name) },
    ],
  ];
}

/** `about` is the number of the cloud with `#` before it, and `count` how many routes there are. */
export function cloudMenu(about: string, count: number, canEdit: boolean, commands: Commands): MenuItem[][] {
  const at = Number(about.slice(1));
  const open: MenuItem = { label: words.form, hint: "Enter", choose: () => commands.open(about) };
  if (!canEdit) {
    return [[open]];
  }
  return [
    [
      { label: words.to, hint: "D", choose: () => commands.destination(about) },
      { label: words.notTo, hint: "X", choose: () => commands.exception(about) },
      open,
    ],
    [
      { label: words.earlier, hint: "[", disabled: at === 0, choose: () => commands.earlier(about) },
      { label: words.later, hint: "]", disabled: at + 1 >= count, choose: () => commands.later(about) },
    ],
    [{ label: words.remove, hint: "Del", danger: true, choose: () => commands.remove(about) }],
  ];
}
