// What is asked about secrets. Their values are never part of an answer.
import { client, ok } from "../api/client";
import { listOptions } from "../api/lists";

/** The secrets of a project, or without one the reader's own. */
export function secretsList(projectId: string | null) {
  return listOptions(["secrets", { projectId }], (cursor, signal) =>
    ok(client.GET("/secrets", { params: { query: { cursor, ...(projectId === null ? {} : { project_id: projectId }) } }, signal })));
}
