// The three ends of a question: loading, a failure, or its data.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { Loading } from "./Loading";
import { Problem } from "./Problem";

interface Props<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "refetch">;
  /** What is loaded, in words: "the jobs". */
  what: string;
  children: (data: T) => ReactNode;
}

export function Shown<T>({ query, what, children }: Props<T>) {
  // What was there before stays, also when a later look at it fails; the banner says so.
  if (query.data !== undefined) return children(query.data);
  if (query.error !== null) {
    return (
      <Problem
        error={query.error}
        what={`${what.charAt(0).toUpperCase()}${what.slice(1)} could not be loaded`}
        again={() => void query.refetch()}
      />
    );
  }
  return <Loading what={what} />;
}
