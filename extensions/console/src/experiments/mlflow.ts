// MLflow's own REST API, through the platform's gate: same origin, one workspace per project. The
// gate wants a session of its own, which `enter` opens from the console's; nothing else calls it.
import { enter, PREFIX, raw } from "../api/client";
import { ApiError } from "../api/errors";

const GATE = "/services/mlflow";
const API = `${GATE}/ajax-api/2.0/mlflow`;

let inside: Promise<void> | null = null;

/** Opens the session at the gate; once, however many calls wait for it. */
function door(): Promise<void> {
  inside ??= enter(`${PREFIX}/experiments/enter`).catch((error: unknown) => {
    inside = null;
    throw error;
  });
  return inside;
}

/** Asks MLflow; opens the session first, and anew where it has ended. */
async function ask(path: string, projectId: string, init: RequestInit): Promise<unknown> {
  const headers = { "X-MLFLOW-WORKSPACE": projectId, ...(init.body === undefined ? {} : { "Content-Type": "application/json" }) };
  await door();
  try {
    return await (await raw(`${API}${path}`, { ...init, headers })).json();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
  }
  inside = null;
  await door();
  return (await raw(`${API}${path}`, { ...init, headers })).json();
}

export interface RawRun {
  info: { run_id: string; run_name?: string; experiment_id: string; status: string; start_time?: number; end_time?: number; lifecycle_stage?: string };
  data: { metrics?: { key: string; value: number | string; step?: number; timestamp?: number }[]; params?: { key: string; value: string }[]; tags?: { key: string; value: string }[] };
}

interface RunsAnswer {
  runs?: RawRun[];
  next_page_token?: string;
}

/** Runs of experiments, by MLflow's own filter language and order. */
export async function searchRuns(
  projectId: string,
  wanted: { experiments: string[]; filter: string; order: string[]; most: number; after?: string | undefined },
  signal: AbortSignal,
): Promise<{ runs: RawRun[]; next: string | null }> {
  const body = JSON.stringify({
    experiment_ids: wanted.experiments, filter: wanted.filter, order_by: wanted.order, max_results: wanted.most,
    ...(wanted.after === undefined ? {} : { page_token: wanted.after }),
  });
  const answer = (await ask("/runs/search", projectId, { method: "POST", body, signal })) as RunsAnswer;
  return { runs: answer.runs ?? [], next: answer.next_page_token ?? null };
}

export async function getRun(projectId: string, runId: string, signal: AbortSignal): Promise<RawRun> {
  const answer = (await ask(`/runs/get?run_id=${encodeURIComponent(runId)}`, projectId, { signal })) as { run: RawRun };
  return answer.run;
}

export interface RawPoint {
  run_id?: string;
  value: number | string;
  step?: number | string;
  timestamp?: number | string;
}

/** A metric's values of several runs, at most `most` of each run, spread over its steps. */
export async function metricHistory(projectId: string, runIds: string[], key: string, most: number, signal: AbortSignal): Promise<RawPoint[]> {
  const query = new URLSearchParams({ metric_key: key, max_results: String(most) });
  for (const id of runIds) query.append("run_ids", id);
  const answer = (await ask(`/metrics/get-history-bulk-interval?${query}`, projectId, { signal })) as { metrics?: RawPoint[] };
  return answer.metrics ?? [];
}

export interface Artifact {
  path: string;
  is_dir: boolean;
  file_size?: number | string;
}

export async function listArtifacts(projectId: string, runId: string, path: string, signal: AbortSignal): Promise<Artifact[]> {
  const query = new URLSearchParams({ run_id: runId, ...(path === "" ? {} : { path }) });
  const answer = (await ask(`/artifacts/list?${query}`, projectId, { signal })) as { files?: Artifact[] };
  return answer.files ?? [];
}

export async function versionsOfRun(projectId: string, runId: string, signal: AbortSignal): Promise<{ name: string; version: string }[]> {
  const query = new URLSearchParams({ filter: `run_id='${runId.replace(/[^0-9a-zA-Z-]/g, "")}'` });
  const answer = (await ask(`/model-versions/search?${query}`, projectId, { signal })) as { model_versions?: { name: string; version: string }[] };
  return answer.model_versions ?? [];
}

/** Where the bytes of a run's file are. */
export function artifactAddress(runId: string, path: string): string {
  return `${GATE}/get-artifact?${new URLSearchParams({ run_uuid: runId, path })}`;
}

/** The address of MLflow's own page about something in a project. */
export function mlflowPage(projectId: string, place: string): string {
  return `${PREFIX}/experiments/enter?next=${encodeURIComponent(`${GATE}/`)}#${place}?workspace=${encodeURIComponent(projectId)}`;
}
