// The texts to copy for a published port: its addresses, and commands that use it. The service is guessed from the
// port.
import type { PlanPort } from "./types/PlanPort";

type Client = {
  /** The scheme of the service's URLs. */
  scheme: string;
  /** The default port of the scheme. A URL need not contain it. */
  usual: number;
  program: string;
  args: (address: string, port: number) => string;
};

/** A text to copy, with its kind. */
export type CopyOffer = { kind: "name" | "address" | "url" | "addressUrl" | "command"; program?: string; text: string };

const HTTP: Client = { scheme: "http", usual: 80, program: "curl", args: (address, port) => url(HTTP, address, port) };
const HTTPS: Client = { scheme: "https", usual: 443, program: "curl", args: (address, port) => url(HTTPS, address, port) };

const CLIENTS = new Map<number, Client>([
  [22, { scheme: "ssh", usual: 22, program: "ssh", args: (address, port) => `-p ${port} ${address}` }],
  [80, HTTP],
  [443, HTTPS],
  [3306, { scheme: "mysql", usual: 3306, program: "mysql", args: (address, port) => `-h ${address} -P ${port}` }],
  [5432, { scheme: "postgresql", usual: 5432, program: "psql", args: (address, port) => `-h ${address} -p ${port}` }],
  // If only one colon came before the number, vncviewer would take the number for that of a display (vncviewer(1)).
  [5900, { scheme: "vnc", usual: 5900, program: "vncviewer", args: (address, port) => `${address}::${port}` }],
  [6379, { scheme: "redis", usual: 6379, program: "redis-cli", args: (address, port) => `-h ${address} -p ${port}` }],
  [6443, HTTPS],
  [8080, HTTP],
  [8443, HTTPS],
  [27017, { scheme: "mongodb", usual: 27017, program: "mongosh", args: (address, port) => `--host ${address} --port ${port}` }],
]);

/**
 * The client for a published port. It is looked up by the port that the host dials, because that says more about the
 * service, and then by the published port.
 */
function clientOf(port: PlanPort): Client {
  const dialled = Number(port.target.slice(port.target.lastIndexOf(":") + 1));
  return CLIENTS.get(dialled) ?? CLIENTS.get(port.port) ?? HTTP;
}

function url(client: Client, host: string, port: number): string {
  return `${client.scheme}://${host}${port === client.usual ? "" : `:${port}`}/`;
}

/** The URL of the port for a browser; null if it is probably not a web server. */
export function pageOf(vip: string, port: PlanPort): string | null {
  const client = clientOf(port);
  return client === HTTP || client === HTTPS ? url(client, vip, port.port) : null;
}

/**
 * All texts to copy for a port. Commands contain the address, not the name: the address works wherever an agent runs,
 * but the name works only where it can be looked up.
 */
export function offers(name: string, vip: string, port: PlanPort): CopyOffer[] {
  const client = clientOf(port);
  return [
    { kind: "name", text: `${name}:${port.port}` },
    { kind: "address", text: `${vip}:${port.port}` },
    { kind: "url", text: url(client, name, port.port) },
    { kind: "addressUrl", text: url(client, vip, port.port) },
    { kind: "command", program: client.program, text: `${client.program} ${client.args(vip, port.port)}` },
  ];
}
