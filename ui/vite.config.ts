// The build of the page, its server for development, and its tests without a browser.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { svelteTesting } from "@testing-library/svelte/vite";
import { configDefaults, defineConfig } from "vitest/config";

// In the app's window the prototypes of the language are frozen, so that no script can change what the others run. An object
// can then be given a constructor of its own only by a definition, and not by an assignment as d3-color does it.
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
  // The schema of the manifest lies beside the page, in the documentation.
  server: { port: 5173, strictPort: true, fs: { allow: [".."] } },
  build: { target: "es2022", chunkSizeWarningLimit: 900 },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.ts"],
    exclude: [...configDefaults.exclude, "tests/**"],
  },
});
