// A page that was open while the platform was updated may ask for parts that are gone.

const KEY = "smalti-reloaded-at";
const AGAIN = 60_000;

/** Loads the page anew when a part of it cannot be fetched; not twice within a minute. */
export function watchForNewBuild(): void {
  addEventListener("vite:preloadError", (event) => {
    const before = Number(sessionStorage.getItem(KEY) ?? 0);
    if (Date.now() - before < AGAIN) return; // the error is shown by the page's own boundary
    sessionStorage.setItem(KEY, String(Date.now()));
    event.preventDefault();
    location.reload();
  });
}
