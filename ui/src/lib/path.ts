// The path to each host of the shown network.
import { type Path, pathOf } from "./jump";
import { plan } from "./plan.svelte";
import { truth } from "./store.svelte";

export function pathTo(host: string): Path {
  return pathOf(plan.host(host)?.command ?? [], truth.app?.network?.jumps?.[host]);
}
