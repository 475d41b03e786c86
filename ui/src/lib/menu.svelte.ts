// The menu that is open, if there is one. Pages open a menu for the thing that the person points at.
// `components/Menus.svelte` shows the menu.

export type MenuItem = {
  label: string;
  /** The key that does the same as the item. */
  hint?: string;
  /** The text that the item is about, such as the text to copy. */
  detail?: string;
  danger?: boolean;
  disabled?: boolean;
  choose: () => void;
};

export type OpenMenu = {
  label: string;
  x: number;
  y: number;
  /** Whether `x` is the right edge of the menu. Otherwise it is the left edge. */
  end?: boolean;
  groups: MenuItem[][];
};

class Menus {
  open = $state.raw<OpenMenu | null>(null);

  /** Opens a menu below a button. */
  below(button: Element, label: string, groups: MenuItem[][]): void {
    const box = button.getBoundingClientRect();
    this.open = { label, x: box.right, y: box.bottom + 2, end: true, groups };
  }

  /**
   * Opens a menu for the element that a `contextmenu` event is about, and suppresses the browser's own menu. If a key
   * has caused the event, its position is useless, so the menu is shown below the element.
   */
  at(event: MouseEvent, about: Element, label: string, groups: MenuItem[][]): void {
    event.preventDefault();
    const box = about.getBoundingClientRect();
    const byKey = event.button !== 2;
    this.open = { label, x: byKey ? box.left + 24 : event.clientX, y: byKey ? box.bottom : event.clientY, groups };
  }

  close(): void {
    this.open = null;
  }
}

export const menus = new Menus();
