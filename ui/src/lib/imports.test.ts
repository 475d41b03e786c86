import { expect, it } from "vitest";

/**
 * The folders directly below each folder, in the order that `main.ts` shows. A file may import from its own folder and
 * from all folders below that.
 */
const BELOW: Record<string, string[]> = {
  src: ["pages", "shell", "mock"],
  pages: ["pages/*"],
  "pages/*": ["components"],
  shell: ["components"],
  components: ["lib"],
  mock: ["lib"],
  lib: ["lib/types"],
  "lib/types": [],
};

type Imports = Record<string, string[]>;

// Tests are left out, because nothing imports them, and they may import everything.
const sources = Object.fromEntries(
  Object.entries(import.meta.glob<string>("/src/**/*.{ts,svelte}", { query: "?raw", import: "default", eager: true }))
    .filter(([path]) => !path.endsWith(".test.ts"))
    .map(([path, text]) => [path.replace("/src/", ""), text]),
);

/** The files that a file imports, at its beginning or later, as values or as types. Styles and data do not count. */
function imported(file: string, text: string): string[] {
  const names = Array.from(text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"?]+)"/g), (match) => match[1] ?? "");
  return names.filter((name) => !/\.(css|json)$/.test(name)).map((name) => pathOf(name, file));
}

function pathOf(name: string, from: string): string {
  const path = new URL(name, `file:///${from}`).pathname.slice(1);
  return [path, `${path}.ts`].find((known) => known in sources) ?? path;
}

/** The circles of imports. Each consists of the files from one file back to itself. */
function circles(imports: Imports): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, way: string[]) => {
    const before = way.indexOf(file);
    if (before >= 0) {
      found.push([...way.slice(before), file].join(" > "));
    } else if (!done.has(file)) {
      imports[file]?.forEach((next) => walk(next, [...way, file]));
      done.add(file);
    }
  };
  Object.keys(imports).forEach((file) => walk(file, []));
  return found;
}

/**
 * The folder of a file. Each page has a folder for its parts, and the parts of other pages must not import from that
 * folder.
 */
function folderOf(file: string): string {
  const [top = "src", inner = ""] = file.split("/").slice(0, -1);
  const both = `${top}/${inner}`;
  return both in BELOW || (top === "pages" && inner !== "") ? both : top;
}

function kindOf(folder: string): string {
  return folder.startsWith("pages/") ? "pages/*" : folder;
}

function isBelow(folder: string, above: string): boolean {
  return (BELOW[kindOf(above)] ?? []).some((next) => next === kindOf(folder) || isBelow(folder, next));
}

function againstOrder(imports: Imports): string[] {
  return Object.entries(imports).flatMap(([file, others]) =>
    others
      .filter((other) => folderOf(other) !== folderOf(file) && !isBelow(folderOf(other), folderOf(file)))
      .map((other) => `${file} > ${other}`),
  );
}

const imports: Imports = Object.fromEntries(Object.entries(sources).map(([file, text]) => [file, imported(file, text)]));

it("every import is found", () => {
  const all = Object.values(imports).flat();
  expect(Object.keys(sources).length).toBeGreaterThan(150);
  expect(all.length).toBeGreaterThan(500);
  expect(all.filter((file) => !(file in sources))).toEqual([]);
});

it("no files import each other in a circle", () => {
  expect(circles(imports)).toEqual([]);
});

it("no file imports from a folder that is not below its own", () => {
  expect(againstOrder(imports)).toEqual([]);
});

it("a circle and an import against the order would be found", () => {
  expect(circles({ a: ["b", "c"], b: ["c"], c: ["a"], d: ["d"] })).toEqual(["a > b > c > a", "d > d"]);
  const wrong: Imports = {
    "lib/types/App.ts": ["lib/format.ts"],
    "lib/strings/log.ts": ["components/Button.svelte"],
    "pages/FlowsPage.svelte": ["shell/Toasts.svelte", "pages/flows/FilterBar.svelte", "lib/format.ts"],
    "pages/flows/FilterBar.svelte": ["pages/log/LogBar.svelte", "pages/flows/rowMenu.ts", "components/Button.svelte"],
    "shell/Notices.svelte": ["pages/manifest/Notice.svelte", "lib/types/App.ts"],
    "App.svelte": ["mock/backend.ts", "lib/types/App.ts"],
  };
  expect(againstOrder(wrong)).toEqual([
    "lib/types/App.ts > lib/format.ts",
    "lib/strings/log.ts > components/Button.svelte",
    "pages/FlowsPage.svelte > shell/Toasts.svelte",
    "pages/flows/FilterBar.svelte > pages/log/LogBar.svelte",
    "shell/Notices.svelte > pages/manifest/Notice.svelte",
  ]);
});
