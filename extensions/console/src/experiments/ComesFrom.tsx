// Where a run comes from, as the platform itself wrote it down: person, job, commit, environment.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";

import { Ago } from "../parts/Ago";
import { duration } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { versionsOfRunQuery } from "./queries";
import { environmentName, type Run } from "./table";

export function ComesFrom({ run }: { run: Run }) {
  const { project, rights } = useProject();
  const versions = useQuery(versionsOfRunQuery(project.id, run.id)).data ?? [];
  const facts: [string, ReactNode][] = [["Made by", run.person ?? "unknown"]];
  if (run.jobId !== null) facts.push(["In", <Anchor key="j" component={Link} inherit to={`/jobs/${run.jobId}`}>the job that made it</Anchor>]);
  if (run.commit !== null) {
    const short = run.commit.slice(0, 8);
    facts.push(["Code", rights.files ? <Anchor key="c" component={Link} inherit to={`/projects/${project.id}/history/${run.commit}`}>{short}</Anchor> : short]);
  }
  if (run.environment !== null) facts.push(["Environment", environmentName(run.environment)]);
  if (run.started !== null) {
    facts.push(["Began", <Ago key="b" time={new Date(run.started).toISOString()} />]);
    if (run.finished !== null) facts.push(["Took", duration((run.finished - run.started) / 1000)]);
  }
  for (const one of versions) {
    facts.push(["Became", <Anchor key={one.version} component={Link} inherit to={`/projects/${project.id}/models/${encodeURIComponent(one.name)}`}>{one.name}, version {one.version}</Anchor>]);
  }
  return (
    <section className="card" aria-label="Where it comes from">
      <Title order={2}>Where it comes from</Title>
      <dl className="facts">{facts.map(([name, value], index) => <div key={index} className="fact"><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  );
}
