// Fetches a log piece by piece, and looks for more while its job runs. Without a stream of its own:
// a browser opens few connections to one place, and eight tabs may each show a log.
import { useEffect, useState, useSyncExternalStore } from "react";

import { ApiError } from "../api/errors";
import { API, raw } from "../api/client";
import { Lines } from "./lines";

const PIECE = 2 << 20;
const MOST = 96 << 20; // bytes shown; a longer log is to be downloaded
const LOOK_AGAIN = 1000;

export interface Log {
  lines: Lines;
  error: unknown;
  /** Everything that there is now has been fetched once. */
  ready: boolean;
  /** The log is longer than what is shown. */
  cut: boolean;
}

export function useLog(jobId: string, done: boolean): Log {
  const [lines] = useState(() => new Lines());
  const [state, setState] = useState<Omit<Log, "lines">>({ error: null, ready: false, cut: false });
  useSyncExternalStore(lines.watch, () => lines.version);
  useEffect(() => {
    const stop = new AbortController();
    void follow(jobId, lines, done, stop.signal, setState);
    return () => stop.abort();
  }, [jobId, lines, done]);
  return { lines, ...state };
}

async function follow(
  jobId: string,
  lines: Lines,
  done: boolean,
  signal: AbortSignal,
  tell: (state: Omit<Log, "lines">) => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const more = await fetchPiece(jobId, lines, signal);
      const cut = lines.offset >= MOST;
      if (!more || cut) tell({ error: null, ready: true, cut });
      if (cut || (!more && done)) return;
      if (more) continue;
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return;
      tell({ error, ready: true, cut: false });
      if (!(error instanceof ApiError && (error.passing || error.status === 401))) return;
    }
    await nextLook(signal);
  }
}

/** Fetches the next piece; says whether there may be more at once. */
async function fetchPiece(jobId: string, lines: Lines, signal: AbortSignal): Promise<boolean> {
  const query = `follow=false&offset=${lines.offset}&limit=${PIECE}`;
  const answer = await raw(`${API}/jobs/${encodeURIComponent(jobId)}/logs?${query}`, { signal });
  const piece = new Uint8Array(await answer.arrayBuffer());
  if (signal.aborted) return false;
  lines.add(piece);
  return piece.length >= PIECE;
}

/** Waits a second, and longer while nobody looks at the page. */
function nextLook(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setInterval(() => {
      if (!document.hidden || signal.aborted) {
        clearInterval(timer);
        done();
      }
    }, LOOK_AGAIN);
    signal.addEventListener("abort", () => {
      clearInterval(timer);
      done();
    });
  });
}
