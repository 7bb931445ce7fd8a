// What is asked about files and history.
import { queryOptions } from "@tanstack/react-query";

import { API, client, ok } from "../api/client";
import { listOptions, whole } from "../api/lists";
import type { FileEntry, Folder } from "../api/views";

const MOST_ENTRIES = 5000;

/** A folder with all its entries, or the first 5,000 of them. */
export function filesQuery(projectId: string, ref: string | null, path: string) {
  return queryOptions({
    queryKey: ["project", projectId, "files", ref, path],
    queryFn: async (): Promise<Folder> => {
      const items: FileEntry[] = [];
      let page: Folder;
      let cursor: string | undefined;
      do {
        page = await ok(client.GET("/projects/{id}/files", {
          params: { path: { id: projectId }, query: { path, limit: 200, ...(ref === null ? {} : { ref }), ...(cursor === undefined ? {} : { cursor }) } },
        }));
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor !== undefined && items.length < MOST_ENTRIES);
      return { ...page, items };
    },
  });
}

export function branchesQuery(projectId: string) {
  return queryOptions({
    queryKey: ["project", projectId, "files", "branches"],
    queryFn: () => whole((cursor) =>
      ok(client.GET("/projects/{id}/branches", { params: { path: { id: projectId }, query: { cursor, limit: 200 } } }))),
  });
}

export function commitsList(projectId: string, ref: string | null, path: string | null) {
  return listOptions(["project", projectId, "files", "commits", ref, path], (cursor, signal) =>
    ok(client.GET("/projects/{id}/commits", {
      params: { path: { id: projectId }, query: { cursor, ...(ref === null ? {} : { ref }), ...(path === null ? {} : { path }) } }, signal,
    })));
}

export function commitQuery(projectId: string, commit: string) {
  return queryOptions({
    queryKey: ["project", projectId, "commit", commit],
    queryFn: ({ signal }) => ok(client.GET("/projects/{id}/commits/{commit}", { params: { path: { id: projectId, commit } }, signal })),
    staleTime: Infinity,
  });
}

/** The address of a file's bytes at a version. */
export function contentAddress(projectId: string, path: string, ref: string | null | undefined): string {
  const query = ref === null || ref === undefined ? "" : `?ref=${encodeURIComponent(ref)}`;
  return `${API}/projects/${encodeURIComponent(projectId)}/content/${path.split("/").map(encodeURIComponent).join("/")}${query}`;
}
