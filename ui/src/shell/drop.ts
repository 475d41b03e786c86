// Files that are dropped on the window are opened. The window itself tells their paths, which a page cannot know.
import { getCurrentWebview } from "@tauri-apps/api/webview";

import { intents } from "../lib/intents";
import { report, text } from "../lib/report";

/** Listens for dropped files; `over` is told whether one hovers over the window. */
export function openDropped(over: (hovers: boolean) => void): () => void {
  const listening = getCurrentWebview().onDragDropEvent(({ payload }) => {
    over(payload.type === "enter" || payload.type === "over");
    const path = payload.type === "drop" ? payload.paths[0] : undefined;
    if (path !== undefined) {
      void intents.open(path);
    }
  });
  listening.catch((error: unknown) => report(`drop: ${text(error)}`));
  return () => void listening.then((stop) => stop());
}
