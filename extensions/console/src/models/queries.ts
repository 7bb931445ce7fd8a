// What is asked about registered models.
import { queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";

export function modelsQuery(projectId: string) {
  return queryOptions({
    queryKey: ["models", projectId],
    queryFn: ({ signal }) => ok(client.GET("/projects/{id}/models", { params: { path: { id: projectId } }, signal })),
    select: (answer) => answer.items,
  });
}

export function modelQuery(projectId: string, name: string) {
  return queryOptions({
    queryKey: ["models", projectId, name],
    queryFn: ({ signal }) => ok(client.GET("/projects/{id}/models/{name}", { params: { path: { id: projectId, name } }, signal })),
  });
}

export function versionsQuery(projectId: string, name: string) {
  return queryOptions({
    queryKey: ["models", projectId, name, "versions"],
    queryFn: ({ signal }) => ok(client.GET("/projects/{id}/models/{name}/versions", { params: { path: { id: projectId, name } }, signal })),
    select: (answer) => answer.items,
  });
}
