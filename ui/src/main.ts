// The page begins here. Its folders stand in an order, and a file imports only from its own folder and from those to the left
// of it, so that each can be read without those to the right. `lib/imports.test.ts` holds the order.
//
//     lib/types < lib < components < pages/* < pages < App.svelte, main.ts
//                       components < shell           < App.svelte, main.ts
//                 lib < mock                         < main.ts
import "./early";

import { mount } from "svelte";

import "./styles/tokens.css";
import "./styles/base.css";

import App from "./App.svelte";
import { listen } from "./lib/store.svelte";
import { beginTheme } from "./lib/theme.svelte";

function begin(): void {
  beginTheme();
  const target = document.getElementById("app");
  if (target !== null) {
    mount(App, { target });
    void listen();
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
