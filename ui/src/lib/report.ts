// Errors of the page go to the app's log. Otherwise a broken page would only be an empty window.
import { ipc } from "./ipc";

let left = 20;

/** Sends at most a handful, since a page that breaks in a loop would fill the log. */
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

/** The words of an error, for people. The back end sends plain text. */
export function text(error: unknown): string {
  if (typeof error === "string") {
    return error;
  }
  return error instanceof Error ? error.message : String(error);
}
