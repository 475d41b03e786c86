// The build of the page, its server for development, and its tests without a browser.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { configDefaults, defineConfig } from "vitest/config";

// In the app's window, the built-in prototypes are frozen, so that no script can change what other scripts use. The
// `constructor` of an object can then only be defined, and not assigned as in d3-color, so that line is replaced.
const ownConstructors = {
  name: "own-constructors",
  transform(code: string, id: string): string | undefined {
    if (!id.includes("/d3-color/")) {
      return undefined;
    }
    const assigned = "prototype.constructor = constructor;";
    if (!code.includes(assigned)) {
      throw new Error("d3-color has changed: look whether it still works with frozen prototypes");
    }
    const defined = 'Object.defineProperty(prototype, "constructor", { value: constructor });';
    return code.replace(assigned, defined);
  },
};

export default defineConfig({
  plugins: [ownConstructors, svelte(), svelteTesting()],
  clearScreen: false,
  // The schema of the manifest is outside of this folder, in the documentation.
  server: { port: 5173, strictPort: true, fs: { allow: [".."] } },
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 900,
    modulePreload: { polyfill: false },
    // One small stylesheet: otherwise each page would wait for its own after its code.
    cssCodeSplit: false,
    rolldownOptions: {
      output: {
        // What several pages share is one file, since many small ones take longer to load.
        codeSplitting: { groups: [{ name: "shared", test: /\/src\/(components|lib)\/|@lucide/, minShareCount: 2 }] },
      },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "tests/**"],
  },
});
