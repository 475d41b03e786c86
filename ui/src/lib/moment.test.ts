import { expect, it } from "vitest";

import { day, moment, shortSpan } from "./format";

const now = new Date(2026, 10, 29, 20, 0, 0).getTime();

it("a moment of today is a time of day, and another one has its day", () => {
  expect(moment(new Date(2026, 10, 29, 9, 5, 7).getTime(), now)).toBe("09:05:07");
  expect(moment(new Date(2026, 10, 23, 9, 30, 0).getTime(), now)).toBe("Nov\u00a023 09:30:00");
  expect(moment(new Date(2025, 11, 31, 23, 59, 59).getTime(), now)).toBe("Dec\u00a031, 2025 23:59:59");
  expect(day(now, now)).toBe("Nov\u00a029");
});

it("a short span has its milliseconds", () => {
  expect([0, 12, 999, 1000, 61_000].map(shortSpan)).toEqual(["0\u00a0ms", "12\u00a0ms", "999\u00a0ms", "1\u00a0s", "1\u00a0min"]);
});
