// The metrics of some runs over their steps or over time, one chart each.
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { CurveChart, type RunCurve } from "../charts/CurveChart";
import { Loading } from "../parts/Loading";
import { Problem } from "../parts/Problem";
import { duration, figure } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { historyQuery, type HistoryPoint } from "./queries";
import type { Run } from "./table";

const FIRST = 6;

interface Props {
  runs: Run[];
  metrics: string[];
  by: "step" | "time";
  log: boolean;
}

export function MetricCurves({ runs, metrics, by, log }: Props) {
  const [most, setMost] = useState(FIRST);
  const [text, setText] = useState("");
  const found = metrics.filter((metric) => metric.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <div className="stack">
      {metrics.length > 2 * FIRST && <TextInput aria-label="Find a metric" placeholder="Find a metric" w={260} maxLength={200} value={text} onChange={(event) => setText(event.currentTarget.value)} />}
      {found.length === 0 && <p className="soft" style={{ margin: 0 }}>No metric is called like this.</p>}
      <div className="chart-grid">
        {found.slice(0, most).map((metric) => <OneMetric key={metric} runs={runs} metric={metric} by={by} log={log} />)}
      </div>
      {found.length > most && (
        <div className="row"><Button variant="default" size="sm" onClick={() => setMost(most + 12)}>Show more of {found.length} metrics</Button></div>
      )}
    </div>
  );
}

function OneMetric({ runs, metric, by, log }: Omit<Props, "metrics"> & { metric: string }) {
  const { project } = useProject();
  const having = runs.filter((run) => run.metrics.has(metric));
  const query = useQuery({
    ...historyQuery(project.id, having.map((run) => run.id), metric, having.some((run) => run.status === "Running")),
    enabled: having.length > 0,
  });
  if (query.data === undefined) {
    if (having.length === 0) return null;
    return query.error === null ? <Loading what={metric} /> : <Problem error={query.error} what={`${metric} could not be loaded`} again={() => void query.refetch()} />;
  }
  return (
    <CurveChart title={metric} curves={curvesOf(runs, query.data, by)} log={log} y={figure}
      x={by === "step" ? (value) => figure(Math.round(value * 100) / 100) : duration} />
  );
}

/** One curve for each run that has values; its colour is its place among all of them. */
function curvesOf(runs: Run[], points: HistoryPoint[], by: "step" | "time"): RunCurve[] {
  return runs.flatMap((run, colour): RunCurve[] => {
    const own = points.filter((point) => point.runId === run.id);
    if (own.length === 0) return [];
    const first = own.reduce((least, point) => Math.min(least, point.time), Infinity);
    const x = (point: HistoryPoint) => (by === "step" ? point.step : (point.time - first) / 1000);
    return [{ name: run.name, colour, points: own.map((point) => ({ x: x(point), y: point.value })).sort((left, right) => left.x - right.x) }];
  });
}
