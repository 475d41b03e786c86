// Describes in one line what saving the text would do to the network.
import { t } from "../strings";
import type { Effect } from "../types/Effect";
import type { EffectKind } from "../types/EffectKind";

const ORDER: EffectKind[] = ["add", "remove", "restart", "reconfigure"];

/** `adds db, restarts gke: 2 flows will drop, 5 hosts untouched`. */
export function headline(effect: Effect): string {
  const words = t.manifest.effect;
  if (effect.lines.length === 0) {
    return words.nothing;
  }
  const done = ORDER.flatMap((kind) => {
    const lines = effect.lines.filter((line) => line.kind === kind);
    const names = Array.from(new Set(lines.map((line) => line.host ?? words.network)));
    return names.length === 0 ? [] : [`${words.verbs[kind]} ${names.join(", ")}`];
  });
  return `${sentence(done.join("; "))}: ${words.drops(effect.drops)}, ${words.untouched(effect.untouched)}.`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
