import { describe, expect, it } from "vitest";

import { offers, pageOf } from "./copies";

const VIP = "127.0.42.101";
const command = (port: number, target: string) => offers("web1", VIP, { port, target }).find((offer) => offer.kind === "command")?.text;

describe("what is copied of a port", () => {
  it("is its place by name and by address, as an address of a page, and as a command", () => {
    expect(offers("web1", VIP, { port: 8080, target: "127.0.0.1:80" })).toEqual([
      { kind: "name", text: "web1:8080" },
      { kind: "address", text: "127.0.42.101:8080" },
      { kind: "url", text: "http://web1:8080/" },
      { kind: "addressUrl", text: "http://127.0.42.101:8080/" },
      { kind: "command", program: "curl", text: "curl http://127.0.42.101:8080/" },
    ]);
  });

  it.each([
    [2222, "127.0.0.1:22", "ssh -p 2222 127.0.42.101"],
    [22, "127.0.0.1:22", "ssh -p 22 127.0.42.101"],
    [15432, "db.internal:5432", "psql -h 127.0.42.101 -p 15432"],
    [13306, "[::1]:3306", "mysql -h 127.0.42.101 -P 13306"],
    [6379, "127.0.0.1:6379", "redis-cli -h 127.0.42.101 -p 6379"],
    [27017, "127.0.0.1:27017", "mongosh --host 127.0.42.101 --port 27017"],
    [5901, "127.0.0.1:5900", "vncviewer 127.0.42.101::5901"],
    [80, "127.0.0.1:3000", "curl http://127.0.42.101/"],
    [8443, "127.0.0.1:443", "curl https://127.0.42.101:8443/"],
    [443, "127.0.0.1:9000", "curl https://127.0.42.101/"],
    [9000, "127.0.0.1:9000", "curl http://127.0.42.101:9000/"],
  ])("has the client's command for %d, which dials %s", (port, target, line) => {
    expect(command(port, target)).toBe(line);
  });

  it("goes by what is dialled before it goes by what is published", () => {
    expect(command(80, "127.0.0.1:22")).toBe("ssh -p 80 127.0.42.101");
    expect(command(22, "127.0.0.1:2222")).toBe("ssh -p 22 127.0.42.101");
    expect(command(443, "127.0.0.1:80")).toBe("curl http://127.0.42.101:443/");
  });

  it("is a page only where a browser shows one", () => {
    expect(pageOf(VIP, { port: 8443, target: "127.0.0.1:8443" })).toBe("https://127.0.42.101:8443/");
    expect(pageOf(VIP, { port: 80, target: "127.0.0.1:8080" })).toBe("http://127.0.42.101/");
    expect(pageOf(VIP, { port: 5432, target: "127.0.0.1:5432" })).toBeNull();
  });
});
