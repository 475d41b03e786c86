// The beginning of the page.
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
