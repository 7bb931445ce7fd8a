// Keeps what is shown true: events make what they touch stale, and it is fetched again.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

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
    let away = reach().away;
    const stopWatching = watchReach(() => {
      if (away && !reach().away) void queries.invalidateQueries();
      away = reach().away;
    });
    return () => {
      stopListening();
      stopWatching();
      gatherer.stop();
    };
  }, [queries]);
}
