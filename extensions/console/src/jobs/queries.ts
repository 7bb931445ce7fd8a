// What is asked about jobs.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { listOptions } from "../api/lists";
import type { JobStatus } from "../api/views";

export interface JobFilter {
  project_id?: string;
  status?: JobStatus;
  owner?: string;
  tag?: string;
}

export function jobsList(filter: JobFilter) {
  return listOptions(["jobs", filter], (cursor, signal) =>
    ok(client.GET("/jobs", { params: { query: { ...filter, cursor } }, signal })));
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) => ok(client.GET("/jobs/{id}", { params: { path: { id } }, signal })),
  });
}

export function metricsQuery(id: string, live: boolean) {
  return queryOptions({
    queryKey: ["job", id, "metrics"],
    queryFn: ({ signal }) => ok(client.GET("/jobs/{id}/metrics", { params: { path: { id } }, signal })),
    // Samples are no events: while a job runs they are looked at in turns.
    refetchInterval: live ? 3000 : false,
  });
}

export function outputsQuery(id: string) {
  return queryOptions({
    queryKey: ["job", id, "outputs"],
    queryFn: ({ signal }) => ok(client.GET("/jobs/{id}/outputs", { params: { path: { id } }, signal })),
  });
}

export function compareQuery(left: string, right: string) {
  return queryOptions({
    queryKey: ["job", left, "compare", right],
    queryFn: ({ signal }) =>
      ok(client.GET("/jobs/compare", { params: { query: { left, right } }, signal })),
  });
}
