// Sends errors of the page to the app's log. Otherwise, a broken page would only be an empty window.
import { ipc } from "./ipc";
import type { ErrorCode } from "./types/ErrorCode";
import type { Refused } from "./types/Refused";

let left = 20;

/**
 * Sends a message to the app's log. At most 20 messages are sent, because a page with an error in a loop would fill the
 * log.
 */
export function report(message: string): void {
  if (left > 0) {
    left -= 1;
    ipc.report(message.slice(0, 4000)).catch(() => {});
  }
}

export function reportErrors(): void {
  window.addEventListener("error", (event) => {
    report(`${event.message} (${event.filename}:${event.lineno})\n${event.error?.stack ?? ""}`);
  });
  window.addEventListener("unhandledrejection", (event) => {
    report(`unhandled: ${text(event.reason)}`);
  });
  document.addEventListener("securitypolicyviolation", (event) => {
    report(`not allowed: ${event.violatedDirective} ${event.blockedURI}`);
  });
}

/** The kind of an error, if the network's manager has named it. */
export function codeOf(error: unknown): ErrorCode | null {
  return isRefused(error) ? error.code : null;
}

/** The words of an error, for people. */
export function text(error: unknown): string {
  if (isRefused(error)) {
    return error.text;
  }
  // If Tauri itself refuses a request, the error is a plain text.
  return error instanceof Error ? error.message : String(error);
}

function isRefused(error: unknown): error is Refused {
  return typeof error === "object" && error !== null && "code" in error && "text" in error;
}
