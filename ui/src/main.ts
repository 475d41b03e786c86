// The entry point of the page. The folders have an order: a file imports only from its own folder and from folders to
// the left of it. Therefore each folder can be understood without the folders to the right. `lib/imports.test.ts`
// checks this order.
//
//     lib/types < lib < components < pages/* < pages < App.svelte, main.ts
//                       components < shell           < App.svelte, main.ts
//                 lib < mock                         < main.ts
import "./early";

import { mount } from "svelte";

import "./styles/fonts.css";
import "./styles/tokens.css";
import "./styles/base.css";

import App from "./App.svelte";
import { follow } from "./lib/go";
import { listen } from "./lib/store.svelte";
import { beginTheme } from "./lib/theme.svelte";

/** Requests the state of the app first. It then arrives while the page is being made. */
function begin(): void {
  beginTheme();
  void listen(follow);
  const target = document.getElementById("app");
  if (target !== null) {
    mount(App, { target });
  }
}

if (import.meta.env.MODE === "mock") {
  void import("./mock/backend").then((mock) => {
    mock.install();
    begin();
  });
} else {
  begin();
}
