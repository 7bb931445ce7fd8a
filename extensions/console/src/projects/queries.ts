// What is asked about projects.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { listOptions, whole } from "../api/lists";
import type { Project } from "../api/views";

export function projectsList(search = "") {
  return listOptions(["projects", { search }], (cursor, signal) =>
    ok(client.GET("/projects", {
      params: { query: { cursor, ...(search === "" ? {} : { search }) } }, signal,
    })));
}

export function projectQuery(id: string) {
  return queryOptions({
    queryKey: ["project", id],
    queryFn: ({ signal }) => ok(client.GET("/projects/{id}", { params: { path: { id } }, signal })),
  });
}

export function membersQuery(id: string) {
  return queryOptions({
    queryKey: ["project", id, "members"],
    queryFn: () => whole((cursor) =>
      ok(client.GET("/projects/{id}/members", { params: { path: { id }, query: { cursor, limit: 200 } } }))),
  });
}

/** The name that people know a project by. */
export function fullName(project: Project): string {
  return `${project.owner.name}/${project.name}`;
}

/** What a role in a project lets its holder do; an administrator may all of it. */
export function rightsIn(project: Project, admin: boolean) {
  const role = project.role;
  const owns = admin || role === "owner";
  const works = owns || role === "contributor";
  const reads = works || role === "consumer";
  return {
    edit: owns,
    write: works,
    run: works,
    files: works || project.visibility === "internal",
    results: reads,
    workspaces: works,
    secrets: works,
    members: reads,
  };
}
