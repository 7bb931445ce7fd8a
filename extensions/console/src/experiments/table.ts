// Runs as rows of a table: their values, columns, order, and what a filter's words mean. Pure.
import type { RawRun } from "./mlflow";

export interface Run {
  id: string;
  name: string;
  experimentId: string;
  status: string;
  started: number | null;
  finished: number | null;
  metrics: Map<string, number>;
  params: Map<string, string>;
  tags: Map<string, string>;
  person: string | null;
  jobId: string | null;
  commit: string | null;
  environment: string | null;
}

/** A run as MLflow tells it, under the names that are used here. */
export function runOf(raw: RawRun): Run {
  const tags = new Map((raw.data.tags ?? []).map((tag) => [tag.key, tag.value]));
  return {
    id: raw.info.run_id,
    name: raw.info.run_name ?? raw.info.run_id.slice(0, 8),
    experimentId: raw.info.experiment_id,
    status: STATUS[raw.info.status] ?? raw.info.status,
    started: raw.info.start_time ?? null,
    finished: raw.info.end_time ?? null,
    metrics: new Map((raw.data.metrics ?? []).map((metric) => [metric.key, Number(metric.value)])),
    params: new Map((raw.data.params ?? []).map((param) => [param.key, param.value])),
    tags: new Map([...tags].filter(([name]) => !name.startsWith("mlflow.") && !name.startsWith("smalti."))),
    person: tags.get("smalti.person") ?? null,
    jobId: tags.get("smalti.job_id") ?? null,
    commit: tags.get("smalti.commit") ?? null,
    environment: tags.get("smalti.environment") ?? null,
  };
}

const STATUS: Record<string, string> = {
  RUNNING: "Running", SCHEDULED: "Queued", FINISHED: "Succeeded", FAILED: "Failed", KILLED: "Stopped",
};
/** The statuses of runs, as people read them and as MLflow writes them. */
export const RUN_STATUSES: [string, string][] = [["Running", "RUNNING"], ["Succeeded", "FINISHED"], ["Failed", "FAILED"], ["Stopped", "KILLED"]];

export interface Column {
  kind: "metric" | "param";
  name: string;
}

export function keyOf(column: Column): string {
  return `${column.kind}:${column.name}`;
}

/** Reads a column from its key; null for anything else. */
export function columnOf(key: string): Column | null {
  const at = key.indexOf(":");
  const kind = key.slice(0, at);
  return kind === "metric" || kind === "param" ? { kind, name: key.slice(at + 1) } : null;
}

/** All columns that the runs have values for: parameters, then metrics, by name. */
export function columnsOf(runs: Run[]): Column[] {
  const names = (of: (run: Run) => Map<string, unknown>) => [...new Set(runs.flatMap((run) => [...of(run).keys()]))].sort();
  return [
    ...names((run) => run.params).map((name): Column => ({ kind: "param", name })),
    ...names((run) => run.metrics).map((name): Column => ({ kind: "metric", name })),
  ];
}

/** The columns that are shown before anybody has chosen: of each kind the first few that differ. */
export function usualColumns(runs: Run[], columns: Column[], each = 4): Column[] {
  const differs = (column: Column) => new Set(runs.map((run) => valueOf(run, column))).size > 1;
  const some = (kind: Column["kind"]) => {
    const all = columns.filter((column) => column.kind === kind);
    return [...all.filter(differs), ...all.filter((column) => !differs(column))].slice(0, each);
  };
  const chosen = new Set([...some("param"), ...some("metric")]);
  return columns.filter((column) => chosen.has(column));
}

export function valueOf(run: Run, column: Column): string | number | undefined {
  return column.kind === "metric" ? run.metrics.get(column.name) : run.params.get(column.name);
}

/** A value as a number, where it is one. */
export function numberOf(run: Run, column: Column): number | null {
  const value = valueOf(run, column);
  if (value === undefined || value === "") return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** Whether every value of a column that is there is a number. */
export function isNumeric(runs: Run[], column: Column): boolean {
  const values = runs.map((run) => valueOf(run, column)).filter((value) => value !== undefined);
  return values.length > 0 && values.every((value) => value !== "" && Number.isFinite(Number(value)));
}

export interface Sort {
  /** A column's key, or one of the run's own: started, name. */
  by: string;
  up: boolean;
}

export const NEWEST: Sort = { by: "started", up: false };

/** The order as MLflow wants it. Parameters are texts there; `inOrder` puts numbers right. */
export function orderBy(sort: Sort): string[] {
  const way = sort.up ? "ASC" : "DESC";
  const column = columnOf(sort.by);
  if (column !== null) return [`${column.kind}s.${named(column.name)} ${way}`, "attributes.start_time DESC"];
  return [`attributes.${sort.by === "name" ? "run_name" : "start_time"} ${way}`];
}

/** Orders runs that are all there by a parameter: by number where all are numbers. */
export function inOrder(runs: Run[], sort: Sort): Run[] {
  const column = columnOf(sort.by);
  if (column?.kind !== "param" || !isNumeric(runs, column)) return runs;
  const way = sort.up ? 1 : -1;
  const value = (run: Run) => numberOf(run, column);
  return [...runs].sort((left, right) => {
    const [one, other] = [value(left), value(right)];
    if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
    return (one - other) * way;
  });
}

const CLAUSE = /^\s*(?:(metric|param|metrics|params|tags?|attributes?)\.)?(`[^`]+`|"[^"]+"|[^\s=<>!]+)\s*(>=|<=|!=|=|>|<|\blike\b|\bilike\b)\s*(.+?)\s*$/i;

/**
 * What somebody types, in MLflow's own filter language. Plain words look for a part of the name;
 * `loss < 0.4 and depth = 5` may leave out whether a name is a metric's or a parameter's.
 */
export function filterOf(text: string, columns: Column[], status: string | null): string {
  const clauses: string[] = [];
  if (status !== null) clauses.push(`attributes.status = '${status}'`);
  const typed = text.trim();
  if (typed !== "") {
    const parts = typed.split(/\s+and\s+/i).map((part) => CLAUSE.exec(part));
    if (parts.every((part) => part !== null)) clauses.push(...parts.map((part) => clause(part, columns)));
    else clauses.push(`attributes.run_name ILIKE '%${typed.replaceAll("'", "''")}%'`);
  }
  return clauses.join(" AND ");
}

function clause(part: RegExpExecArray, columns: Column[]): string {
  const [, kind = "", quoted = "", operator = "", value = ""] = part;
  const name = quoted.replace(/^[`"]|[`"]$/g, "");
  const place = kind === "" ? placeOf(name, columns) : `${kind.toLowerCase().replace(/s$/, "")}s`;
  const bare = value.replace(/^['"]|['"]$/g, "");
  const written = place === "metrics" || (place === "attributes" && /_time$/.test(name)) ? bare : `'${bare.replaceAll("'", "''")}'`;
  return `${place}.${place === "attributes" ? name : named(name)} ${operator.toUpperCase()} ${written}`;
}

function placeOf(name: string, columns: Column[]): string {
  if (columns.some((column) => column.kind === "metric" && column.name === name)) return "metrics";
  if (["run_name", "status", "start_time", "end_time"].includes(name)) return "attributes";
  return "params";
}

function named(name: string): string {
  return `\`${name.replaceAll("`", "")}\``;
}

/** An environment as the platform writes it into tags, `name/revision@digest`, in words. */
export function environmentName(text: string): string {
  const found = /^(.+)\/(\d+)@/.exec(text);
  return found === null ? text : `${found[1] ?? ""}, revision ${found[2] ?? ""}`;
}
