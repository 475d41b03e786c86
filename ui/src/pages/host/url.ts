// The address of a published port for a browser.

/** `https` only for the ports that are used for it by custom; other servers answer plain requests. */
export function portUrl(vip: string, port: number): string {
  const scheme = port === 443 || port === 8443 ? "https" : "http";
  return `${scheme}://${vip}:${port}/`;
}
