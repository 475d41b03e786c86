// This frame stands between the page and the program, and the page cannot reach into it. All requests of the page pass
// through this function, and are then encrypted with a key that the page does not have. The program itself checks every
// request, encrypted or not. Nothing is checked here, so that there is only one place with checks.
window.__TAURI_ISOLATION_HOOK__ = (asked) => asked;
