// What is asked about workspaces.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { listOptions } from "../api/lists";
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
