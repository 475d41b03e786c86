// The theme, light or dark. It follows the settings or the system. `public/theme.js` sets it for the first frame.
import type { Theme } from "./types/Theme";

/**
 * The key under which the last setting is stored. It is stored because the settings of the app arrive only after the
 * first frame.
 */
const KEPT = "norouter.theme";

const system = window.matchMedia("(prefers-color-scheme: dark)");
let wish: Theme | null = null;

function paint(): void {
  const theme = wish ?? kept();
  const dark = theme === "dark" || (theme !== "light" && system.matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

/** Uses the last theme until the settings are known, and follows changes of the system's theme. */
export function beginTheme(): void {
  system.addEventListener("change", paint);
  paint();
}

export function setTheme(theme: Theme): void {
  wish = theme;
  try {
    localStorage.setItem(KEPT, theme);
  } catch {
    // In that case, the next first frame has the theme of the system.
  }
  paint();
}
