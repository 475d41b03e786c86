// Sets the theme before the first frame is drawn, so that a dark page is never light for a moment. It is a script of
// its own, because the scripts of the page run only after the first frame. `lib/theme.svelte.ts` goes on from here.
(function () {
  var wish = null;
  try {
    wish = localStorage.getItem("norouter.theme");
  } catch (error) {
    // Without storage, the theme is that of the system.
  }
  var dark = wish === "dark" || (wish !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
