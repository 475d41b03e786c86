import { expect, it } from "vitest";

import { pageAddress } from "./router.svelte";
import { isHomeless, shownPage } from "./shownPage";
import type { App } from "./types/App";
import type { Consent } from "./types/Consent";

const app = (change: Partial<App>) => ({ manifest: "/a.yaml", network: null, consent: null, ...change }) as App;
const at = (hash: string, of: App | null) => shownPage(pageAddress(hash), of);

it("an address leads to its page", () => {
  expect(["#/network", "#/flows", "#/host/web1"].map((hash) => at(hash, app({})))).toEqual(["network", "flows", "host"]);
  expect(at("#/host", app({})), "a host without a name").toBe("network");
});

it("without a manifest and a network, the first page is shown, except where none is needed", () => {
  const none = app({ manifest: null });
  expect(isHomeless(none)).toBe(true);
  expect(["#/network", "#/flows", "#/log", "#/settings"].map((hash) => at(hash, none))).toEqual(["welcome", "welcome", "log", "settings"]);
});

it("a question about commands comes before every page of the network, except the manifest", () => {
  const asked = app({ consent: {} as Consent });
  expect(["#/network", "#/host/web1", "#/manifest", "#/log"].map((hash) => at(hash, asked))).toEqual(["consent", "consent", "manifest", "log"]);
});

it("as long as the state of the app is unknown, only pages without a network are shown", () => {
  expect([at("#/network", null), at("#/settings", null), isHomeless(null)]).toEqual([null, "settings", false]);
});
