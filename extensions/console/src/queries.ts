// How answers are kept and when they are asked for again.
import { MutationCache, QueryClient } from "@tanstack/react-query";

import { ApiError } from "./api/errors";

const PASSING_TRIES = 60;

/** Makes the one client. Passing failures are tried again with pauses; others are shown. */
export function queryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        gcTime: 10 * 60_000,
        refetchOnWindowFocus: false,
        networkMode: "always",
        retry: (count, error) =>
          error instanceof ApiError && error.passing && count < PASSING_TRIES,
        retryDelay: (count) => Math.min(5000, 500 * 2 ** count),
      },
      mutations: { networkMode: "always", retry: false },
    },
    mutationCache: new MutationCache(),
  });
}
