// Ports in the short forms that people type.

/**
 * Completes a port for the manifest. `5432` leads to the same port of the host itself, and is published under the next
 * free number if 5432 needs special rights or is taken; `8080:80` leads to another port of the host itself. A text in
 * any other form is returned unchanged.
 */
export function expandPort(text: string, next: number, taken: readonly string[]): string {
  const [, listen, target, rest = ""] = /^(?:(\d{1,5})[:\s]\s*)?(\d{1,5})(\/tcp|\/udp)?$/.exec(text) ?? [];
  if (target === undefined) {
    return text;
  }
  const used = new Set(taken.map((port) => Number.parseInt(port, 10)));
  const own = Number(target) < 1024 || used.has(Number(target)) ? String(next) : target;
  return `${listen ?? own}:127.0.0.1:${target}${rest}`;
}
