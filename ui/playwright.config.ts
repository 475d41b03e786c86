// The configuration of the page's tests in a real browser, with the mock back end. The page is built first, and so it
// loads in a third of the time: the development server sends its hundreds of modules one by one.
import { defineConfig } from "@playwright/test";

const port = Number(process.env["UI_PORT"] ?? 5174);

export default defineConfig({
  testDir: "tests",
  fullyParallel: true,
  workers: 2,
  // The time limit is long, because axe needs much time for forty hosts on a busy machine.
  timeout: 90_000,
  expect: { timeout: 10_000 },
  forbidOnly: true,
  reporter: "list",
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    viewport: { width: 1280, height: 800 },
    reducedMotion: "reduce",
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  webServer: {
    command: `npx vite build --mode mock --outDir dist-mock && npx vite preview --outDir dist-mock --host 127.0.0.1 --port ${port} --strictPort`,
    port,
    reuseExistingServer: false,
  },
});
