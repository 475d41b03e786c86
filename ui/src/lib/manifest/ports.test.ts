import { expect, it } from "vitest";

import { expandPort } from "./ports";

it("short ports become whole ones, and whole ones stay", () => {
  const expand = (text: string) => expandPort(text, 8081, ["9090:127.0.0.1:9090"]);
  expect(expand("5432")).toBe("5432:127.0.0.1:5432");
  expect(expand("80")).toBe("8081:127.0.0.1:80");
  expect(expand("9090")).toBe("8081:127.0.0.1:9090");
  expect(expand("8443:443/tcp")).toBe("8443:127.0.0.1:443/tcp");
  expect(expand("53:db.internal:53/udp")).toBe("53:db.internal:53/udp");
  expect(expand("http")).toBe("http");
});
