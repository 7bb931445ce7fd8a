// What can be done with a workspace; each verb tells how it went and makes the lists fresh.
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import type { Workspace } from "../api/views";
import { tellDone, tellProblem } from "../parts/tell";
import { tellWithUndo } from "../parts/tellUndo";

export function useWorkspaceVerbs(workspace: Workspace) {
  const queries = useQueryClient();
  const params = { path: { id: workspace.id } };
  const named = workspace.title;
  const took = (now: Workspace) => {
    queries.setQueryData(["workspace", now.id], now);
    void queries.invalidateQueries({ queryKey: ["workspaces"] });
  };
  const start = useMutation({
    mutationFn: () => ok(client.POST("/workspaces/{id}/start", { params })),
    onSuccess: took,
    onError: (error) => tellProblem(error, `${named} was not started`),
  });
  const stop = useMutation({
    mutationFn: () => ok(client.POST("/workspaces/{id}/stop", { params })),
    onSuccess: (now) => { took(now); tellDone(`${named} is stopped; its files stay`); },
    onError: (error) => tellProblem(error, `${named} was not stopped`),
  });
  const keep = useMutation({
    mutationFn: (until: string | null) => ok(client.POST("/workspaces/{id}/keep", { params, body: { until } })),
    onSuccess: took,
    onError: (error) => tellProblem(error, `${named} is not kept`),
  });
  const undelete = useMutation({
    mutationFn: () => ok(client.POST("/workspaces/{id}/undelete", { params })),
    onSuccess: (now) => { took(now); tellDone(`${named} is back, with its files`); },
    onError: (error) => tellProblem(error, `${named} is not back`),
  });
  const remove = useMutation({
    mutationFn: () => ok(client.DELETE("/workspaces/{id}", { params })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["workspaces"] });
      void queries.invalidateQueries({ queryKey: ["workspace", workspace.id] });
      tellWithUndo(`${named} is deleted`, () => undelete.mutate());
    },
    onError: (error) => tellProblem(error, `${named} was not deleted`),
  });
  return { start, stop, keep, remove, undelete };
}
