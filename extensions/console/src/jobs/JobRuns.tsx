// The runs in MLflow that a job made, with their last numbers.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Job } from "../api/views";
import { runsOfJobQuery } from "../experiments/queries";
import { StatusPill } from "../parts/StatusPill";
import { figure } from "../parts/format";
import { over } from "./rules";

const AT_ONCE = 5;
const NUMBERS = 3;
const STATUS: Record<string, string> = { RUNNING: "Running", FINISHED: "Succeeded", FAILED: "Failed", KILLED: "Stopped" };

export function JobRuns({ job }: { job: Job }) {
  const runs = useQuery(runsOfJobQuery(job.id, !over(job) && job.started_at !== null)).data ?? [];
  if (runs.length === 0) return null; // most jobs log nothing, and while MLflow is away nothing is missed here
  const base = `/projects/${job.project_id}/experiments`;
  const compared = runs.slice(0, 20).map((run) => run.id).join(",");
  return (
    <section className="card" aria-label="Runs in MLflow">
      <Title order={2}>{runs.length === 1 ? "Run" : `${runs.length} runs`}</Title>
      <ul className="plain lines">
        {runs.slice(0, AT_ONCE).map((run) => (
          <li key={run.id}>
            <div className="row spread tight">
              <Anchor component={Link} to={`${base}/runs/${run.id}`} fw={600} className="wrap">{run.name.slice(0, 100)}</Anchor>
              {run.status !== "FINISHED" && <StatusPill status={STATUS[run.status] ?? run.status} />}
            </div>
            <div className="soft small wrap">
              {Object.entries(run.metrics).slice(0, NUMBERS).map(([name, value]) => `${name} ${value === null ? "–" : figure(value)}`).join(", ")}
            </div>
          </li>
        ))}
      </ul>
      {runs.length > 1 && <p className="small" style={{ marginBottom: 0 }}><Anchor component={Link} to={`${base}/compare?runs=${compared}`} inherit>Compare {runs.length > 20 ? "the newest 20" : "them"}</Anchor></p>}
    </section>
  );
}
