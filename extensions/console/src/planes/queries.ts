// What is asked about data planes and hardware tiers: short lists, taken whole.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { whole } from "../api/lists";

export const planesQuery = queryOptions({
  queryKey: ["planes"],
  queryFn: () => whole((cursor) => ok(client.GET("/planes", { params: { query: { cursor, limit: 200 } } }))),
});

export const tiersQuery = queryOptions({
  queryKey: ["tiers"],
  queryFn: () =>
    whole((cursor) => ok(client.GET("/hardware-tiers", { params: { query: { cursor, limit: 200 } } }))),
});
