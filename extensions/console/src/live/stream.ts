// One event stream for all tabs of a browser. The tab that holds a lock listens to the platform
// and tells the others; when it closes, the lock goes to another one, which resumes where the
// first one was. A browser without locks (plain http from another machine) listens in each tab.
import { API } from "../api/client";
import type { Happening } from "./invalidation";

export type News =
  | { kind: "event"; position: string; event: Happening }
  | { kind: "connected"; position: string; lost: boolean }
  | { kind: "away" };

const NAME = "smalti-events";
const KINDS = [
  "job.created", "job.changed", "workspace.created", "workspace.changed", "workspace.warned",
  "workspace.deleted", "project.created", "project.changed", "project.deleted",
  "project.pushed", "plane.changed", "person.changed",
];
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15_000;

/** Listens until stopped; tells `hear` everything that this browser's one stream says. */
export function listen(hear: (news: News) => void): () => void {
  const stopped = new AbortController();
  const channel = new BroadcastChannel(NAME);
  let position = "";
  const take = (news: News) => {
    if (news.kind !== "away") position = news.position;
    hear(news);
  };
  channel.onmessage = (message: MessageEvent<News>) => take(message.data);
  const lead = () =>
    stream(stopped.signal, () => position, (news) => {
      take(news);
      channel.postMessage(news);
    });
  if ("locks" in navigator) {
    navigator.locks.request(NAME, { signal: stopped.signal }, lead).catch((error: unknown) => {
      if (!stopped.signal.aborted) throw error;
    });
  } else {
    void lead();
  }
  return () => {
    stopped.abort();
    channel.close();
  };
}

/** Keeps a connection until the signal, with pauses that grow while there is none. */
async function stream(
  signal: AbortSignal,
  position: () => string,
  tell: (news: News) => void,
): Promise<void> {
  let pause = FIRST_PAUSE;
  while (!signal.aborted) {
    await connection(signal, position(), (news) => {
      if (news.kind === "connected") pause = FIRST_PAUSE;
      tell(news);
    });
    await waited(pause, signal);
    pause = Math.min(LONGEST_PAUSE, pause * 1.7);
  }
}

function connection(signal: AbortSignal, after: string, tell: (news: News) => void): Promise<void> {
  return new Promise((done) => {
    const query = after === "" ? "" : `?last_event_id=${encodeURIComponent(after)}`;
    const source = new EventSource(`${API}/events${query}`);
    const end = () => {
      source.close();
      signal.removeEventListener("abort", end);
      done();
    };
    signal.addEventListener("abort", end);
    source.addEventListener("ready", (event) =>
      tell({ kind: "connected", position: event.lastEventId, lost: false }));
    source.addEventListener("reset", (event) =>
      tell({ kind: "connected", position: event.lastEventId, lost: true }));
    for (const kind of KINDS) {
      source.addEventListener(kind, (event: MessageEvent<string>) => {
        const told = JSON.parse(event.data) as Happening;
        tell({ kind: "event", position: event.lastEventId, event: told });
      });
    }
    source.onerror = () => {
      tell({ kind: "away" });
      end(); // we connect again ourselves, so that the pauses are ours
    };
  });
}

function waited(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) {
      done();
      return;
    }
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
