// Keeps the first page true: when a job or plane changes, its lists are fetched anew. Where the
// console is being built, the page makes way for it.
"use strict";

const QUIET = 400; // milliseconds that must pass without news before the page is fetched
const SOON = 3000; // milliseconds between two looks for the console

let timer = null;
let busy = false;

async function refresh() {
  timer = null;
  if (busy || document.hidden) {
    later();
    return;
  }
  busy = true;
  try {
    const answer = await fetch(window.location.pathname, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) {
      window.location.reload();
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (page.querySelector("[data-live]") === null) {
      window.location.reload(); // the console is there
      return;
    }
    for (const fresh of page.querySelectorAll("[data-live]")) {
      const old = document.querySelector(`[data-live="${fresh.dataset.live}"]`);
      if (old && !old.contains(document.activeElement)) {
        old.replaceWith(fresh);
      }
    }
  } catch {
    later(); // the platform is away for a moment: the event stream reconnects by itself
  } finally {
    busy = false;
  }
}

function later() {
  if (timer === null) {
    timer = window.setTimeout(refresh, document.hidden ? 5000 : QUIET);
  }
}

const news = new EventSource(document.body.dataset.events);
for (const kind of ["job.created", "job.changed", "plane.changed", "project.created",
  "project.changed", "project.deleted"]) {
  news.addEventListener(kind, later);
}
document.addEventListener("visibilitychange", later);
if ("soon" in document.body.dataset) {
  window.setInterval(later, SOON);
}
