// Stands between the page and the program, in a frame that the page cannot reach into: what the page asks for goes through
// here and is sealed with a key that the page does not have. The program itself checks what is asked, sealed or not; nothing is
// added here, so that there is one place to check.
window.__TAURI_ISOLATION_HOOK__ = (asked) => asked;
