// What can be copied of a published port: where it is, and what asks it. The kind of service is a guess from its port.
import type { PlanPort } from "../../lib/types/PlanPort";

type Client = {
  /** How its addresses begin. */
  scheme: string;
  /** The port that such an address means without naming it. */
  usual: number;
  /** The program, and what it is told. */
  program: string;
  args: (address: string, port: number) => string;
};

/** Something to copy, with the kind of thing that it is. */
export type Offer = { kind: "name" | "address" | "url" | "addressUrl" | "command"; program?: string; text: string };

const HTTP: Client = { scheme: "http", usual: 80, program: "curl", args: (address, port) => url(HTTP, address, port) };
const HTTPS: Client = { scheme: "https", usual: 443, program: "curl", args: (address, port) => url(HTTPS, address, port) };

const CLIENTS = new Map<number, Client>([
  [22, { scheme: "ssh", usual: 22, program: "ssh", args: (address, port) => `-p ${port} ${address}` }],
  [80, HTTP],
  [443, HTTPS],
  [3306, { scheme: "mysql", usual: 3306, program: "mysql", args: (address, port) => `-h ${address} -P ${port}` }],
  [5432, { scheme: "postgresql", usual: 5432, program: "psql", args: (address, port) => `-h ${address} -p ${port}` }],
  // One colon would make the number that of a display (vncviewer(1)).
  [5900, { scheme: "vnc", usual: 5900, program: "vncviewer", args: (address, port) => `${address}::${port}` }],
  [6379, { scheme: "redis", usual: 6379, program: "redis-cli", args: (address, port) => `-h ${address} -p ${port}` }],
  [6443, HTTPS],
  [8080, HTTP],
  [8443, HTTPS],
  [27017, { scheme: "mongodb", usual: 27017, program: "mongosh", args: (address, port) => `--host ${address} --port ${port}` }],
]);

/** What the host dials says more of the service than the port at which it is published. */
function clientOf(port: PlanPort): Client {
  const dialled = Number(port.target.slice(port.target.lastIndexOf(":") + 1));
  return CLIENTS.get(dialled) ?? CLIENTS.get(port.port) ?? HTTP;
}

function url(client: Client, host: string, port: number): string {
  return `${client.scheme}://${host}${port === client.usual ? "" : `:${port}`}/`;
}

/** The address of the port for a browser; null for what a browser cannot show. */
export function pageOf(vip: string, port: PlanPort): string | null {
  const client = clientOf(port);
  return client === HTTP || client === HTTPS ? url(client, vip, port.port) : null;
}

/** All that is offered. Commands name the address: it is known wherever an agent runs, and a name only where it was made known. */
export function offers(name: string, vip: string, port: PlanPort): Offer[] {
  const client = clientOf(port);
  return [
    { kind: "name", text: `${name}:${port.port}` },
    { kind: "address", text: `${vip}:${port.port}` },
    { kind: "url", text: url(client, name, port.port) },
    { kind: "addressUrl", text: url(client, vip, port.port) },
    { kind: "command", program: client.program, text: `${client.program} ${client.args(vip, port.port)}` },
  ];
}
