// The sheet that is open over the page. At most one sheet is open.

export type Sheet = "palette" | "shortcuts" | "why";

class Overlay {
  sheet = $state.raw<Sheet | null>(null);
  /** The address that is in the field when the "why" sheet opens. */
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
