// The menu that is open, if there is one. Pages open it for what the person points at, and `components/Menus.svelte`
// shows it.

export type MenuItem = {
  label: string;
  /** A key that does the same as the item. */
  hint?: string;
  /** The text that the item is about, such as the one to copy. */
  detail?: string;
  danger?: boolean;
  disabled?: boolean;
  choose: () => void;
};

export type OpenMenu = {
  label: string;
  x: number;
  y: number;
  /** Whether `x` is the right edge of the menu, and not the left one. */
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
   * Opens a menu for what a `contextmenu` event is about, and keeps the browser's own menu closed. After a key, the menu
   * is below the element, since the event has no useful position then.
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
