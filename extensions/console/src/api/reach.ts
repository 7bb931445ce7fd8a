// Whether the platform answers, and whether it still knows us. Watched by the shell's banner.
import { useSyncExternalStore } from "react";

export interface Reach {
  /** The last call, or the event stream, got no answer. */
  away: boolean;
  /** The last answer said that it does not know who is asking. */
  signedOut: boolean;
}

let now: Reach = { away: false, signedOut: false };
const watchers = new Set<() => void>();

/** Notes that something answered, with this status; `knows` when it had to know who asks. */
export function noteAnswer(status: number, knows: boolean): void {
  set({ away: false, signedOut: knows ? status === 401 : now.signedOut });
}

/** Notes that nothing answered. */
export function noteSilence(): void {
  set({ ...now, away: true });
}

/** The state now; for code that is no component. */
export function reach(): Reach {
  return now;
}

function set(next: Reach): void {
  if (next.away === now.away && next.signedOut === now.signedOut) return;
  now = next;
  for (const watcher of watchers) watcher();
}

/** Tells a listener of each change; gives the way to stop. */
export function watchReach(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** The state, in a component. */
export function useReach(): Reach {
  return useSyncExternalStore(watchReach, reach);
}
