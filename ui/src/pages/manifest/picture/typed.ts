// Checks what people type in the picture, while the field is still open, so that no typed text is lost. The engine
// checks everything again.
import { t } from "../../../lib/strings";
import type { Way } from "../../../lib/types/Way";

const words = t.picture.wrong;

export type Typed = { value: string; wrong: null } | { value: null; wrong: string };

const fine = (value: string): Typed => ({ value, wrong: null });
const not = (wrong: string): Typed => ({ value: null, wrong });

export function typedName(text: string, taken: readonly string[]): Typed {
  const name = text.trim();
  if (name === "") {
    return not(words.noName);
  }
  if (!/^[a-z0-9_][a-z0-9_.-]*$/i.test(name) || name.length > 253) {
    return not(words.name);
  }
  return taken.some((other) => other.toLowerCase() === name.toLowerCase()) ? not(words.taken(name)) : fine(name);
}

export function typedVip(text: string): Typed {
  const vip = text.trim();
  const parts = vip.split(".");
  const isAddress = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  return vip === "" || (isAddress && parts[0] === "127") ? fine(vip) : not(words.vip);
}

export function typedTarget(way: Way, text: string): Typed {
  return text.trim() === "" ? not(words.noTarget[way]) : fine(text.trim());
}

/**
 * Completes a port for the manifest. `8080` publishes port 8080 of the host itself, `8080:80` port 80 of the host
 * itself, and `8080:db.internal:5432` a port of another machine that the host reaches.
 */
export function typedPort(text: string, others: readonly string[]): Typed {
  const [, listen = "", between = "", own = "", udp = ""] = /^(\d+)(?::(?:(.+):)?(\d+))?(\/tcp|\/udp)?$/.exec(text.trim().replaceAll(/\s*(?:→|->)\s*/g, ":")) ?? [];
  const target = own === "" ? listen : own;
  if (listen === "" || [listen, target].some((port) => Number(port) < 1 || Number(port) > 65_535)) {
    return not(words.port);
  }
  if (others.includes(listen)) {
    return not(words.portTaken(listen));
  }
  return fine(`${Number(listen)}:${between === "" ? "127.0.0.1" : between}:${Number(target)}${udp}`);
}

/** A pattern of a route: a block of addresses, a name or a glob. A bare address becomes the block with this address. */
export function typedPattern(text: string): Typed {
  const pattern = text.trim();
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(pattern)) {
    return fine(`${pattern}/32`);
  }
  const [, address = "", size = ""] = /^([\da-f.:]+)\/(\d+)$/i.exec(pattern) ?? [];
  if (address !== "") {
    const isFour = /^\d{1,3}(\.\d{1,3}){3}$/.test(address) && address.split(".").every((part) => Number(part) <= 255);
    return (isFour && Number(size) <= 32) || (address.includes(":") && Number(size) <= 128) ? fine(pattern) : not(words.block);
  }
  return /^[a-z0-9*_.-]+$/i.test(pattern) && !/^[\d.]+$/.test(pattern) ? fine(pattern) : not(words.pattern);
}
