// At most one sheet is open over the page.

export type Sheet = "palette" | "shortcuts" | "why";

class Overlay {
  sheet = $state.raw<Sheet | null>(null);
  /** The address with which the "why" sheet begins. */
  target = $state.raw("");

  open(sheet: Sheet, target = ""): void {
    this.target = target;
    this.sheet = sheet;
  }

  close(): void {
    this.sheet = null;
  }
}

export const overlay = new Overlay();
