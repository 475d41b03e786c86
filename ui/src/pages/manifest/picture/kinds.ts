// The kinds of hosts that can be added: how each is reached.
import Box from "@lucide/svelte/icons/box";
import Boxes from "@lucide/svelte/icons/boxes";
import Container from "@lucide/svelte/icons/container";
import Laptop from "@lucide/svelte/icons/laptop";
import PanelTop from "@lucide/svelte/icons/panel-top";
import Ship from "@lucide/svelte/icons/ship";
import SquareTerminal from "@lucide/svelte/icons/square-terminal";
import Terminal from "@lucide/svelte/icons/terminal";
import type { Component } from "svelte";

import type { Way } from "../../../lib/types/Way";

type Icon = Component<{ size?: number; "aria-hidden"?: "true" }>;

/** `field` is the field that says how the host is reached; `null` for this machine. */
export type Kind = { id: "local" | "ssh" | "docker" | "podman" | "kubernetes" | "lxc" | "wsl" | "cmd"; field: string | null; example: string };

export const KINDS: readonly Kind[] = [
  { id: "local", field: null, example: "" },
  { id: "ssh", field: "ssh", example: "web1.example.com" },
  { id: "docker", field: "docker", example: "app" },
  { id: "podman", field: "podman", example: "app" },
  { id: "kubernetes", field: "kubernetes.deployment", example: "staging/default/deployment/api" },
  { id: "lxc", field: "lxc", example: "c1" },
  { id: "wsl", field: "wsl", example: "Debian" },
  { id: "cmd", field: "cmd", example: "ssh web1 -- norouter" },
];

export const ICONS: Record<Way, Icon> = {
  local: Laptop,
  ssh: Terminal,
  docker: Container,
  podman: Boxes,
  kubernetes: Ship,
  lxc: Box,
  wsl: PanelTop,
  cmd: SquareTerminal,
  shell: SquareTerminal,
};

export function kindOf(id: Kind["id"]): Kind {
  return KINDS.find((kind) => kind.id === id) ?? (KINDS[0] as Kind);
}

/** The name that suits a target: `web1` for `deploy@web1.example.com`. `null` if the target suggests no name. */
export function nameFor(kind: Kind, target: string): string | null {
  if (kind.id === "local" || kind.id === "cmd") {
    return null;
  }
  const place = kind.id === "ssh" ? target.replace(/^ssh:\/\//, "").replace(/^.*@/, "").replace(/:\d+$/, "") : target;
  // An address does not make a good name.
  const word = kind.id === "kubernetes" ? (place.split("/").at(-1) ?? "") : /^[\d.]+$|:/.test(place) ? "" : (place.split(".")[0] ?? "");
  const name = word.toLowerCase().replaceAll(/[^a-z0-9_-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return name === "" ? null : name;
}
