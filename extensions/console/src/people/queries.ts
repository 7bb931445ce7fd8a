// What is asked about people.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { listOptions } from "../api/lists";
import type { Me } from "../api/views";

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => ok(client.GET("/me", { signal })),
  staleTime: 60_000,
});

/** Whether somebody sees the administration: administrators, and support, who only look. */
export function watches(me: Me | undefined): boolean {
  return me?.roles.some((role) => role === "admin" || role === "support") ?? false;
}

/** Whether somebody administers. */
export function administers(me: Me | undefined): boolean {
  return me?.roles.includes("admin") ?? false;
}

/** Whether somebody may see what runs left: support sees only how they ran. */
export function seesResults(me: Me | undefined): boolean {
  return me?.roles.some((role) => role !== "support") ?? false;
}

/** Whether somebody may make projects. */
export function makes(me: Me | undefined): boolean {
  return me?.roles.some((role) => role !== "lite" && role !== "support") ?? false;
}

export function peopleList(filter: { name?: string; status?: "active" | "deactivated" }) {
  return listOptions(["people", filter], (cursor, signal) =>
    ok(client.GET("/people", { params: { query: { ...filter, cursor } }, signal })));
}
