// One run: its parameters, its metrics over its steps, its files, and where it comes from.
import { Anchor, Button, SegmentedControl, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";

import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";
import { figure } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { ComesFrom } from "./ComesFrom";
import { MetricCurves } from "./MetricCurves";
import { RunFiles } from "./RunFiles";
import { mlflowPage } from "./mlflow";
import { runQuery } from "./queries";
import type { Run } from "./table";

export function RunPage() {
  const { project } = useProject();
  const { runId = "" } = useParams();
  return <Shown query={useQuery(runQuery(project.id, runId))} what="the run">{(run) => <View key={run.id} run={run} />}</Shown>;
}

function View({ run }: { run: Run }) {
  const { project } = useProject();
  const [by, setBy] = useState<"step" | "time">("step");
  const metrics = [...run.metrics.keys()].sort();
  return (
    <div className="stack">
      <div className="row spread">
        <div>
          <Anchor component={Link} to={`/projects/${project.id}/experiments`} size="sm">All runs</Anchor>
          <div className="row"><Title order={2} className="wrap" style={{ margin: 0 }}>{run.name.slice(0, 200)}</Title><StatusPill status={run.status} /></div>
        </div>
        <Anchor href={mlflowPage(project.id, `/experiments/${run.experimentId}/runs/${run.id}`)} target="_blank" rel="noopener" size="sm">Open in MLflow</Anchor>
      </div>
      <div className="job-columns">
        <div className="stack">
          {metrics.length === 0 ? <section className="card"><p className="soft" style={{ margin: 0 }}>{run.status === "Running" ? "It has logged no metric yet." : "It logged no metrics."}</p></section> : (
            <section className="card" aria-label="Metrics over time">
              <div className="row spread spaced">
                <Title order={2} style={{ margin: 0 }}>Metrics</Title>
                <SegmentedControl size="xs" aria-label="Over what" value={by} onChange={(value) => setBy(value === "time" ? "time" : "step")} data={[{ value: "step", label: "By step" }, { value: "time", label: "By time" }]} />
              </div>
              <MetricCurves runs={[run]} metrics={metrics} by={by} log={false} />
            </section>
          )}
          <RunFiles runId={run.id} />
        </div>
        <aside className="stack">
          <ComesFrom run={run} />
          <Pairs title="Parameters" none="It logged no parameters." pairs={[...run.params].sort()} />
          <Pairs title="Metrics, the last values" none="None." pairs={[...run.metrics].sort().map(([name, value]): [string, string, string] => [name, figure(value), String(value)])} />
          {run.tags.size > 0 && <Pairs title="Tags" none="" pairs={[...run.tags].sort()} />}
        </aside>
      </div>
    </div>
  );
}

const AT_ONCE = 100;

function Pairs({ title, none, pairs }: { title: string; none: string; pairs: [string, string, string?][] }) {
  const [most, setMost] = useState(AT_ONCE);
  return (
    <section className="card" aria-label={title}>
      <Title order={2}>{title}</Title>
      {pairs.length === 0 ? <p className="soft" style={{ margin: 0 }}>{none}</p> : (
        <dl className="facts">
          {pairs.slice(0, most).map(([name, value, whole]) => <div key={name} className="fact"><dt className="wrap">{name}</dt><dd title={whole ?? ""}>{value.slice(0, 500)}</dd></div>)}
        </dl>
      )}
      {pairs.length > most && <Button variant="default" size="compact-sm" mt="sm" onClick={() => setMost(most + 500)}>Show more of {pairs.length}</Button>}
    </section>
  );
}
