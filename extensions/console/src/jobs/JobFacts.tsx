// What a job was asked to be, and what it used.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";

import type { Job } from "../api/views";
import { environmentsQuery } from "../environments/queries";
import { bytes, cost, duration } from "../parts/format";
import { commandOf } from "./rules";

export function JobFacts({ job }: { job: Job }) {
  const environments = useQuery(environmentsQuery);
  const environment = environments.data?.find((one) => one.id === job.environment_id);
  const facts: [string, ReactNode][] = [
    ["Command", <code key="c" className="inline">{commandOf(job).slice(0, 2000)}</code>],
    ["Environment", `${environment?.name ?? "…"}, revision ${job.revision}`],
    ["Hardware tier", job.tier],
    ["Code", (
      <span key="code">
        {job.ref}{" at "}
        <Anchor component={Link} inherit to={`/projects/${job.project_id}/history/${job.commit}`}>{job.commit.slice(0, 8)}</Anchor>
      </span>
    )],
    ["Isolation", job.isolation ?? "not started"],
    ["Time limit", duration(job.timeout)],
  ];
  if (job.attempt > 1 || job.retries > 0) facts.push(["Attempt", `${job.attempt}, ${job.retries} retries asked for`]);
  if (job.exit_code !== null) facts.push(["Exit code", String(job.exit_code)]);
  if (job.usage !== null) {
    facts.push(["CPU time", duration(job.usage.cpu_seconds)], ["Most memory", bytes(job.usage.memory_peak)]);
  }
  if (job.cost !== null) facts.push(["Cost", cost(job.cost)]);
  if (job.tags.length > 0) facts.push(["Tags", job.tags.map((tag) => <span key={tag} className="tag">{tag}</span>)]);
  for (const [name, value] of Object.entries(job.env)) facts.push([name, <code key={name} className="inline">{value.slice(0, 500)}</code>]);
  if (job.rerun_of !== null) {
    facts.push(["Run again from", <Anchor key="r" component={Link} inherit to={`/jobs/${job.rerun_of}`}>an earlier job</Anchor>]);
  }
  return (
    <section className="card" aria-label="Details">
      <Title order={2}>Details</Title>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name} style={{ display: "contents" }}><dt>{name}</dt><dd>{value}</dd></div>
        ))}
      </dl>
    </section>
  );
}
