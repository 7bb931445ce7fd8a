// What is asked about experiments and their runs.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { getRun, listArtifacts, metricHistory, searchRuns, versionsOfRun } from "./mlflow";
import { orderBy, runOf, type Run, type Sort } from "./table";

const AT_ONCE = 100;
const LOOK_AGAIN = 4000; // runs are no events: while one runs they are looked at in turns

export function experimentsQuery(projectId: string) {
  return queryOptions({
    queryKey: ["experiments", projectId],
    queryFn: ({ signal }) => ok(client.GET("/projects/{id}/experiments", { params: { path: { id: projectId } }, signal })),
    select: (answer) => answer.items,
  });
}

export interface RunsWanted {
  experiments: string[];
  filter: string;
  sort: Sort;
}

interface RunsPage {
  runs: Run[];
  next: string | null;
}

export function runsList(projectId: string, wanted: RunsWanted) {
  return infiniteQueryOptions({
    queryKey: ["experiments", projectId, "runs", wanted],
    queryFn: async ({ pageParam, signal }): Promise<RunsPage> => {
      const found = await searchRuns(projectId, { experiments: wanted.experiments, filter: wanted.filter, order: orderBy(wanted.sort), most: AT_ONCE, after: pageParam }, signal);
      return { runs: found.runs.map(runOf), next: found.next };
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: RunsPage) => last.next ?? undefined,
    enabled: wanted.experiments.length > 0,
    refetchInterval: (query) => {
      const pages = query.state.data?.pages ?? [];
      return pages.length <= 3 && pages.some((page) => page.runs.some((run) => run.status === "Running")) ? LOOK_AGAIN : false;
    },
  });
}

export function runQuery(projectId: string, runId: string) {
  return queryOptions({
    queryKey: ["experiments", projectId, "run", runId],
    queryFn: async ({ signal }) => runOf(await getRun(projectId, runId, signal)),
    refetchInterval: (query) => (query.state.data?.status === "Running" ? LOOK_AGAIN : false),
  });
}

export interface HistoryPoint {
  runId: string;
  step: number;
  time: number;
  value: number;
}

/** A metric of some runs over their steps. */
export function historyQuery(projectId: string, runIds: string[], metric: string, live: boolean) {
  return queryOptions({
    queryKey: ["experiments", projectId, "history", metric, [...runIds].sort()],
    queryFn: async ({ signal }): Promise<HistoryPoint[]> => {
      const points = await metricHistory(projectId, runIds, metric, 400, signal);
      return points
        .map((point) => ({ runId: point.run_id ?? runIds[0] ?? "", step: Number(point.step ?? 0), time: Number(point.timestamp ?? 0), value: Number(point.value) }))
        .filter((point) => Number.isFinite(point.value));
    },
    refetchInterval: live ? LOOK_AGAIN : false,
  });
}

export function artifactsQuery(projectId: string, runId: string, path: string) {
  return queryOptions({
    queryKey: ["experiments", projectId, "artifacts", runId, path],
    queryFn: ({ signal }) => listArtifacts(projectId, runId, path, signal),
  });
}

/** The runs that a job made. */
export function runsOfJobQuery(jobId: string, live: boolean) {
  return queryOptions({
    queryKey: ["job", jobId, "experiment-runs"],
    queryFn: ({ signal }) => ok(client.GET("/jobs/{id}/experiment-runs", { params: { path: { id: jobId } }, signal })),
    select: (answer) => answer.items,
    refetchInterval: live ? LOOK_AGAIN : false,
  });
}

/** The versions of registered models that a run became. */
export function versionsOfRunQuery(projectId: string, runId: string) {
  return queryOptions({
    queryKey: ["experiments", projectId, "versions", runId],
    queryFn: ({ signal }) => versionsOfRun(projectId, runId, signal),
  });
}
