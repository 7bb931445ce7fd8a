// What is asked about workspaces.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { listOptions, whole } from "../api/lists";
import type { WorkspaceStatus } from "../api/views";

export interface WorkspaceFilter {
  project_id?: string;
  /** Id of the person whose they are. */
  person?: string;
  status?: WorkspaceStatus;
  /** Those that were deleted and can be had back, instead of the others. */
  deleted?: boolean;
}

export function workspacesList(filter: WorkspaceFilter) {
  return listOptions(["workspaces", filter], (cursor, signal) =>
    ok(client.GET("/workspaces", { params: { query: { ...filter, cursor } }, signal })));
}

export function workspaceQuery(id: string) {
  return queryOptions({
    queryKey: ["workspace", id],
    queryFn: ({ signal }) => ok(client.GET("/workspaces/{id}", { params: { path: { id } }, signal })),
  });
}

const LOOK_AGAIN = 15_000; // snapshots are no events: while files change they are looked at in turns

export function snapshotsList(id: string, live: boolean) {
  return {
    ...listOptions(["workspace", id, "snapshots"], (cursor, signal) =>
      ok(client.GET("/workspaces/{id}/snapshots", { params: { path: { id }, query: { cursor, limit: 20 } }, signal }))),
    refetchInterval: live ? LOOK_AGAIN : (false as const),
  };
}

export function snapshotFilesQuery(id: string, number: number, path: string) {
  return queryOptions({
    queryKey: ["workspace", id, "snapshots", number, path],
    queryFn: () => whole((cursor) =>
      ok(client.GET("/workspaces/{id}/snapshots/{number}/files", { params: { path: { id, number: String(number) }, query: { path, cursor, limit: 200 } } }))),
    staleTime: Infinity, // a snapshot does not change
  });
}
