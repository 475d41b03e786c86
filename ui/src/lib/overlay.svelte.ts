// Which of the sheets over the page is open: at most one.

export type Sheet = "palette" | "shortcuts" | "why";

class Overlay {
  sheet = $state.raw<Sheet | null>(null);
  /** What the "why" sheet begins with. */
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
