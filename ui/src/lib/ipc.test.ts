import { expect, it } from "vitest";

import backend from "../mock/backend?raw";
import ipc from "./ipc?raw";

const sources = import.meta.glob("../**/*.{ts,svelte}", { query: "?raw", import: "default", eager: true }) as Record<string, string>;
const mocks = Object.entries(sources).filter(([path]) => path.startsWith("../mock/"));

/** The names of all commands that the page knows. */
const names = [...ipc.matchAll(/invoke(?:<[^(]*>)?\("(\w+)"/g)].map((match) => match[1] as string);

it("every command is wrapped once", () => {
  expect(names).toHaveLength(51);
  expect(new Set(names).size).toBe(names.length);
});

it("the mock answers every command", () => {
  expect(backend).toContain("mockIPC");
  const answered = (name: string) => mocks.some(([, text]) => new RegExp(`^    ${name}:`, "m").test(text));
  expect(names.filter((name) => !answered(name))).toEqual([]);
});

it("nothing else talks to the back end", () => {
  expect(Object.keys(sources).length).toBeGreaterThan(60);
  const others = Object.entries(sources).filter(([path]) => !path.endsWith("/ipc.ts") && !path.endsWith(".test.ts") && path !== "./ipc.ts");
  expect(others.filter(([, text]) => /\binvoke\b\s*[<(]/.test(text)).map(([path]) => path)).toEqual([]);
});
