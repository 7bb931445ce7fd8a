// Projects by id, for lists that hold ids: each is asked for once and kept.
import { useQueries } from "@tanstack/react-query";

import type { Project } from "../api/views";
import { projectQuery } from "./queries";

export function useProjects(ids: string[]): Map<string, Project> {
  const wanted = [...new Set(ids)].sort();
  return useQueries({
    queries: wanted.map((id) => ({ ...projectQuery(id), staleTime: 5 * 60_000 })),
    combine: (results) =>
      new Map(results.flatMap(({ data }) => (data === undefined ? [] : [[data.id, data] as const]))),
  });
}
