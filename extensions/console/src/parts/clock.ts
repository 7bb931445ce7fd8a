// One clock for all relative times of the page.
import { useSyncExternalStore } from "react";

let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const watchers = new Set<() => void>();

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of watchers) one();
  }, 1000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time now, by `step` milliseconds: a component is drawn again once in each step only. */
export function useNow(step = 10_000): number {
  return useSyncExternalStore(watch, () => Math.floor(now / step) * step + step);
}
