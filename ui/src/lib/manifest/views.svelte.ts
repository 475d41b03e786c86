// The view of the manifest that is shown. The choice is kept, because people have a favourite view.

export const VIEWS = ["picture", "form", "text"] as const;
export type View = (typeof VIEWS)[number];

const KEPT = "norouter.manifest view";
/** The view of a person who has not chosen one. */
const FIRST: View = "picture";

export function viewOf(word: string | null): View | null {
  return VIEWS.find((view) => view === word) ?? null;
}

class Views {
  shown = $state.raw<View>(viewOf(kept()) ?? FIRST);

  show(view: View): void {
    this.shown = view;
    try {
      localStorage.setItem(KEPT, view);
    } catch {
      // If the storage is full, the choice holds until the app is closed.
    }
  }
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export const views = new Views();
