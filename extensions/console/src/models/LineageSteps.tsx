// The way of a model version: the code at a commit, in an environment, ran in a job, as a run.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";

import type { Lineage } from "../api/views";
import { environmentName } from "../experiments/table";
import { jobQuery } from "../jobs/queries";
import { nameOf } from "../jobs/rules";
import { StatusPill } from "../parts/StatusPill";
import { useProject } from "../projects/ProjectLayout";

export function LineageSteps({ lineage }: { lineage: Lineage }) {
  const { project, rights } = useProject();
  const job = useQuery({ ...jobQuery(lineage.job_id ?? ""), enabled: lineage.job_id != null }).data;
  const steps: [string, ReactNode][] = [];
  if (lineage.commit != null) {
    const short = lineage.commit.slice(0, 8);
    steps.push(["Code", rights.files ? <Anchor key="c" component={Link} inherit to={`/projects/${project.id}/history/${lineage.commit}`}>commit {short}</Anchor> : <>commit {short}</>]);
  }
  if (lineage.environment != null) steps.push(["Environment", environmentName(lineage.environment)]);
  if (lineage.job_id != null) {
    steps.push(["Job", (
      <span key="j" className="row tight">
        <Anchor component={Link} inherit to={`/jobs/${lineage.job_id}`} className="wrap">{job === undefined ? "the job" : `#${job.number} ${nameOf(job).slice(0, 80)}`}</Anchor>
        {job !== undefined && <StatusPill status={job.status} />}
      </span>
    )]);
  }
  if (lineage.session_id != null) steps.push(["Workspace", "a start of a workspace"]);
  if (lineage.experiment_run_id != null) {
    steps.push(["Run", <Anchor key="r" component={Link} inherit to={`/projects/${project.id}/experiments/runs/${lineage.experiment_run_id}`}>its parameters and metrics</Anchor>]);
  }
  if (lineage.person != null) steps.push(["Person", lineage.person]);
  if (steps.length === 0) return <p className="soft" style={{ margin: 0 }}>Nothing is known: it was not made by a run of this platform.</p>;
  return (
    <ol className="steps">
      {steps.map(([name, value]) => <li key={name} className="done"><strong>{name}</strong><div className="small wrap">{value}</div></li>)}
    </ol>
  );
}
