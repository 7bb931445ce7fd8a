// What is asked of the audit trail.
import { queryOptions } from "@tanstack/react-query";

import { API, client, ok } from "../api/client";
import { listOptions } from "../api/lists";

export interface AuditFilter {
  action?: string;
  person_id?: string;
  project_id?: string;
  target_id?: string;
  since?: string;
  until?: string;
}

export function auditList(filter: AuditFilter) {
  return listOptions(["audit", filter], (cursor, signal) =>
    ok(client.GET("/audit-events", { params: { query: { ...filter, cursor } }, signal })));
}

export const verifyQuery = queryOptions({
  queryKey: ["audit-verify"],
  queryFn: ({ signal }) => ok(client.GET("/audit-events/verify", { signal })),
  enabled: false,
});

/** Where the rows of a filter can be downloaded. */
export function exportAddress(filter: AuditFilter, format: "csv" | "jsonl"): string {
  return `${API}/audit-events/export?${new URLSearchParams({ ...filter, format }).toString()}`;
}
