// What is asked about environments.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { whole } from "../api/lists";

export const environmentsQuery = queryOptions({
  queryKey: ["environments"],
  queryFn: () =>
    whole((cursor) => ok(client.GET("/environments", { params: { query: { cursor, limit: 200 } } }))),
  staleTime: 60_000,
});

export function revisionsQuery(id: string) {
  return queryOptions({
    queryKey: ["environments", id, "revisions"],
    queryFn: () => whole((cursor) =>
      ok(client.GET("/environments/{id}/revisions", { params: { path: { id }, query: { cursor, limit: 200 } } }))),
  });
}
