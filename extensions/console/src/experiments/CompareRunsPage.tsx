// Runs side by side: what differs, their metrics' curves, and plots of all of them.
import { Anchor, Checkbox, SegmentedControl, Tabs, Title } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";

import { Swatch } from "../charts/Swatch";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Problem } from "../parts/Problem";
import { StatusPill } from "../parts/StatusPill";
import { counted } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { CompareTable } from "./CompareTable";
import { MetricCurves } from "./MetricCurves";
import { RunPlots } from "./RunPlots";
import { runQuery } from "./queries";
import type { Run } from "./table";

const MOST = 20;

export function CompareRunsPage() {
  const { project } = useProject();
  const [address] = useSearchParams();
  const ids = (address.get("runs") ?? "").split(",").filter((id) => /^[0-9a-f]{32}$/.test(id)).slice(0, MOST);
  const queries = useQueries({ queries: ids.map((id) => runQuery(project.id, id)) });
  const runs = queries.flatMap((query) => query.data ?? []);
  const back = <Anchor component={Link} to={`/projects/${project.id}/experiments`} size="sm">All runs</Anchor>;
  if (ids.length < 2) return <section className="card"><Empty title="Which runs?"><p>Choose two or more in the table of runs.</p>{back}</Empty></section>;
  const failed = queries.find((query) => query.error !== null && query.data === undefined);
  if (runs.length < 2) {
    return failed === undefined || queries.some((query) => query.isPending) ? <Loading what="the runs" /> : <Problem error={failed.error} what="The runs could not be loaded" again={() => { for (const query of queries) void query.refetch(); }} />;
  }
  return (
    <div className="stack">
      <div>{back}<Title order={2} style={{ margin: 0 }}>{counted(runs.length, "run")} side by side</Title></div>
      {failed !== undefined && <div className="notice wait" role="status">{counted(ids.length - runs.length, "run")} could not be loaded, and may be gone.</div>}
      <Compared runs={runs} />
    </div>
  );
}

function Compared({ runs }: { runs: Run[] }) {
  const [address, setAddress] = useSearchParams();
  const { project } = useProject();
  const navigate = useNavigate();
  const tab = address.get("tab") ?? "values";
  const choose = (value: string | null) => {
    const next = new URLSearchParams(address);
    if (value === null || value === "values") next.delete("tab");
    else next.set("tab", value);
    setAddress(next, { replace: true });
  };
  const pick = (id: string) => void navigate(`/projects/${project.id}/experiments/runs/${id}`);
  return (
    <>
      <section className="card" aria-label="The runs">
        <ul className="plain row">
          {runs.map((run, index) => (
            <li key={run.id} className="row tight">
              <Swatch index={index} />
              <Anchor component={Link} inherit to={`/projects/${project.id}/experiments/runs/${run.id}`}>{run.name.slice(0, 60)}</Anchor>
              {run.status !== "Succeeded" && <StatusPill status={run.status} />}
            </li>
          ))}
        </ul>
      </section>
      <Tabs value={tab} onChange={choose} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="values">Values</Tabs.Tab>
          <Tabs.Tab value="curves">Curves</Tabs.Tab>
          <Tabs.Tab value="parallel">Parallel</Tabs.Tab>
          <Tabs.Tab value="scatter">Scatter</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="values" pt="md"><CompareTable runs={runs} /></Tabs.Panel>
        <Tabs.Panel value="curves" pt="md"><Curves runs={runs} /></Tabs.Panel>
        <Tabs.Panel value="parallel" pt="md"><Card><RunPlots runs={runs} view="parallel" onPick={pick} /></Card></Tabs.Panel>
        <Tabs.Panel value="scatter" pt="md"><Card><RunPlots runs={runs} view="scatter" onPick={pick} /></Card></Tabs.Panel>
      </Tabs>
    </>
  );
}

function Card({ children }: { children: ReactNode }) {
  return <section className="card">{children}</section>;
}

function Curves({ runs }: { runs: Run[] }) {
  const [by, setBy] = useState<"step" | "time">("step");
  const [log, setLog] = useState(false);
  const metrics = [...new Set(runs.flatMap((run) => [...run.metrics.keys()]))].sort();
  if (metrics.length === 0) return <Card><Empty title="No metrics"><p>None of these runs logged a metric.</p></Empty></Card>;
  return (
    <section className="card stack" aria-label="Curves">
      <div className="row spread">
        <SegmentedControl size="xs" aria-label="Over what" value={by} onChange={(value) => setBy(value === "time" ? "time" : "step")} data={[{ value: "step", label: "By step" }, { value: "time", label: "By time" }]} />
        <Checkbox label="Powers of ten" checked={log} onChange={(event) => setLog(event.currentTarget.checked)} />
      </div>
      <MetricCurves runs={runs} metrics={metrics} by={by} log={log} />
    </section>
  );
}
