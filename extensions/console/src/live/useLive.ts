// Keeps what is shown true: events make what they touch stale, and it is fetched again.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { API, raw } from "../api/client";
import { noteAnswer, reach, watchReach } from "../api/reach";
import { Gatherer, staleKeys } from "./invalidation";
import { listen } from "./stream";

/** Listens for as long as the component that uses it is shown; used once, by the shell. */
export function useLive(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let connected = false;
    const gatherer = new Gatherer((keys) => {
      for (const queryKey of keys) void queries.invalidateQueries({ queryKey });
    });
    const stopListening = listen((news) => {
      if (news.kind === "event") {
        gatherer.add(staleKeys(news.event));
      } else if (news.kind === "away") {
        // An event stream does not say why it ended; any call does, and notes it.
        void queries.invalidateQueries({ queryKey: ["me"] });
      } else {
        noteAnswer(200, false);
        // What happened while nobody listened is not told again: look at everything anew.
        if (connected || news.lost) void queries.invalidateQueries();
        connected = true;
      }
    });
    const knocking = new Knocking();
    let away = reach().away;
    const stopWatching = watchReach(() => {
      if (away && !reach().away) void queries.invalidateQueries();
      away = reach().away;
      knocking.set(away);
    });
    return () => {
      stopListening();
      stopWatching();
      knocking.set(false);
      gatherer.stop();
    };
  }, [queries]);
}

const KNOCK = 3000;

/** While nothing answers, asks again and again: a page with nothing to load would never know. */
class Knocking {
  private timer: ReturnType<typeof setInterval> | undefined;

  set(away: boolean): void {
    if (away === (this.timer !== undefined)) return;
    clearInterval(this.timer);
    this.timer = away ? setInterval(knock, KNOCK) : undefined;
    if (away) addEventListener("online", knock);
    else removeEventListener("online", knock);
  }
}

function knock(): void {
  raw(`${API}/me`).catch(() => undefined); // the answer, or its absence, is noted by the call
}
