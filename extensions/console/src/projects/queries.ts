// What is asked about projects.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { listOptions, whole } from "../api/lists";
import type { Me, Project } from "../api/views";
import { administers, watches } from "../people/queries";

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

/**
 * What somebody may do in a project: by their role in it, as an administrator all of it, and as
 * support see all but what people have written and what their runs left.
 */
export function rightsIn(project: Project, me: Me | undefined) {
  const role = project.role;
  const owns = administers(me) || role === "owner";
  const works = owns || role === "contributor";
  const reads = works || role === "consumer";
  const looks = watches(me);
  return {
    edit: owns,
    write: works,
    run: works,
    files: works || project.visibility === "internal",
    results: reads || looks,
    outputs: reads,
    workspaces: works || looks,
    secrets: works || looks,
    members: reads || looks,
  };
}
