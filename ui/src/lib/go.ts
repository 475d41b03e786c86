// Shows the places that the person asks for outside the window: in the tray, or by a click on a notification.
import { asking } from "./asking.svelte";
import { router } from "./router.svelte";
import { truth } from "./store.svelte";
import type { News } from "./types/News";
import type { Place } from "./types/Place";

/** Shows the places in a batch of news. The state of the page already contains the news. */
export function follow(batch: News[]): void {
  for (const news of batch) {
    if (news.kind === "go") {
      show(news.place);
    }
  }
}

function show(place: Place): void {
  if (place.page === "network") {
    router.go("network");
    return;
  }
  router.go("host", place.host);
  const prompt = place.page === "question" ? truth.host(place.host)?.prompts[0] : undefined;
  if (prompt !== undefined) {
    asking.open(place.host, prompt.id);
  }
}
