// The theme is light or dark, by the settings or by the system.
import type { Theme } from "./types/Theme";

const system = window.matchMedia("(prefers-color-scheme: dark)");
let wish: Theme = "system";

function paint(): void {
  const dark = wish === "dark" || (wish === "system" && system.matches);
  document.documentElement.dataset["theme"] = dark ? "dark" : "light";
}

/** Uses the system's theme until the settings are known, and follows changes of the system's theme. */
export function beginTheme(): void {
  system.addEventListener("change", paint);
  paint();
}

export function setTheme(theme: Theme): void {
  wish = theme;
  paint();
}
