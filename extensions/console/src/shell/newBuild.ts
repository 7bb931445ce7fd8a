// A page that was open while the platform was updated may ask for parts that are gone.

import { raw } from "../api/client";

const KEY = "smalti-reloaded-at";
const AGAIN = 60_000;

/**
 * Loads the page anew when a part of it cannot be fetched, once the platform answers: without a
 * connection the page that is there stays, and its own boundary says so. Not twice within a minute.
 */
export function watchForNewBuild(): void {
  addEventListener("vite:preloadError", () => {
    const before = Number(sessionStorage.getItem(KEY) ?? 0);
    if (Date.now() - before < AGAIN) return;
    void raw(location.href).then(
      () => {
        sessionStorage.setItem(KEY, String(Date.now()));
        location.reload();
      },
      () => undefined, // nothing answers: the banner says so
    );
  });
}
