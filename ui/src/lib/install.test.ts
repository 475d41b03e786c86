import { expect, test } from "vitest";

import { installing, sentPart } from "./install";
import type { InstallView } from "./types/InstallView";

const MB = 1_000_000;

test.each<[InstallView, string, number | null]>([
  [{ step: "connect", kept: 0, size: 0 }, "Looking for an agent", null],
  [{ step: "upload", kept: 0, size: 4_100_000 }, "Sending the agent, 0 B of 4.1 MB", 0],
  [{ step: "upload", kept: 64_000, size: 4_100_000 }, "Sending the agent, 64 kB of 4.1 MB", 64_000 / (4_100_000)],
  [{ step: "upload", kept: 1.25 * MB, size: 5 * MB }, "Sending the agent, 1.2 of 5.0 MB", 0.25],
  [{ step: "upload", kept: 1.5 * MB, size: 3 * MB, perSecond: 700_000 }, "Sending the agent, 1.5 of 3.0 MB, 700 kB/s, 3 s left", 0.5],
  [{ step: "upload", kept: 9 * MB, size: 5 * MB, perSecond: MB }, "Sending the agent, 9.0 of 5.0 MB, 1.0 MB/s, 0 s left", 1],
  [{ step: "upload", kept: 9 * MB, size: 5 * MB }, "Sending the agent, 9.0 of 5.0 MB", 1],
  [{ step: "upload", kept: 0, size: 0 }, "Sending the agent, 0 of 0 B", null],
  [{ step: "verify", kept: 0, size: 0 }, "Checking the agent", null],
  [{ step: "start", kept: 0, size: 0 }, "Starting the agent", null],
])("%o is “%s”", (view, words, sent) => {
  expect(installing(view).replaceAll("\u00a0", " ")).toBe(words);
  expect(sentPart(view)).toBe(sent);
});
