// Files and models by name: of the project that is open, or else of the last changed ones.
import { queryOptions, useQueries } from "@tanstack/react-query";
import { useLocation } from "react-router";

import { client, ok } from "../api/client";
import type { Project } from "../api/views";
import { modelsQuery } from "../models/queries";
import { fullName } from "../projects/queries";
import { crawl } from "./crawl";
import type { Place } from "./places";

const SOME = 5;

function namesQuery(projectId: string, folders: number) {
  return queryOptions({
    queryKey: ["project", projectId, "files", "names", folders],
    queryFn: ({ signal }) => crawl(async (path) => {
      const page = await ok(client.GET("/projects/{id}/files", { params: { path: { id: projectId }, query: { path, limit: 200 } }, signal }));
      return page.items;
    }, folders),
    staleTime: 60_000,
    retry: false, // a project without files, or whose files are not shown, has none to find
  });
}

/** Which projects are searched, and how deep: the open one deeper than others. */
export function useInProjects(projects: Project[], wanted: boolean): { files: Place[]; models: Place[]; busy: boolean } {
  const open = /^\/projects\/([0-9a-f-]{36})/.exec(useLocation().pathname)?.[1];
  const own = projects.filter((project) => project.role !== null && project.status === "ready");
  const searched = [...own.filter((project) => project.id === open), ...own.filter((project) => project.id !== open)].slice(0, SOME);
  const names = useQueries({ queries: searched.map((project) => ({ ...namesQuery(project.id, project.id === open ? 40 : 6), enabled: wanted && reads(project) })) });
  const models = useQueries({ queries: searched.map((project) => ({ ...modelsQuery(project.id), staleTime: 60_000, retry: false, enabled: wanted && project.role !== "launcher" })) });
  return {
    files: searched.flatMap((project, index) => (names[index]?.data ?? []).map((path): Place => ({
      key: `${project.id}/${path}`, kind: "file", name: path, note: fullName(project), to: `/projects/${project.id}/files/${path.split("/").map(encodeURIComponent).join("/")}`,
    }))),
    models: searched.flatMap((project, index) => (models[index]?.data ?? []).map((model): Place => ({
      key: `${project.id}:${model.name}`, kind: "model", name: model.name, note: fullName(project), to: `/projects/${project.id}/models/${encodeURIComponent(model.name)}`,
    }))),
    busy: [...names, ...models].some((query) => query.isFetching),
  };
}

function reads(project: Project): boolean {
  return project.role === "owner" || project.role === "contributor";
}
