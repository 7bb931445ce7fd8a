// The first page: what runs, what failed, what is new, across one's projects.
import { Anchor, Button, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { itemsOf } from "../api/lists";
import type { Job, Project } from "../api/views";
import { JobTable } from "../jobs/JobTable";
import { jobsList } from "../jobs/queries";
import { failed, over } from "../jobs/rules";
import { Loading } from "../parts/Loading";
import { PageHead } from "../parts/PageHead";
import { Problem } from "../parts/Problem";
import { counted } from "../parts/format";
import { makes, meQuery } from "../people/queries";
import { projectsList } from "../projects/queries";
import { useProjects } from "../projects/useProjects";
import { Begin } from "./Begin";
import { Places } from "./Places";
import { RecentProjects } from "./RecentProjects";
import { WorkspaceSection } from "./WorkspaceSection";

const LAST = 8;

export function OverviewPage() {
  const me = useQuery(meQuery);
  const jobs = useInfiniteQuery(jobsList({}));
  const projects = useInfiniteQuery(projectsList());
  const found = itemsOf(jobs.data);
  const names = useProjects(found.map((job) => job.project_id));
  if (jobs.data === undefined || projects.data === undefined) {
    const error = jobs.error ?? projects.error;
    if (error === null) return <Loading what="what runs and what is new" />;
    return <Problem error={error} what="The overview could not be loaded" again={() => { void jobs.refetch(); void projects.refetch(); }} />;
  }
  const mine = itemsOf(projects.data);
  const live = found.filter((job) => !over(job));
  const bad = found.filter((job) => failed(job)).slice(0, 5);
  return (
    <>
      <PageHead title={greeting(me.data?.name)} name="Overview" about={summary(live, bad, mine)}>
        {makes(me.data) && <Button component={Link} to="/projects?new">New project</Button>}
      </PageHead>
      {mine.length === 0 ? <Begin /> : (
        <div className="stack">
          <JobSection title="Running and waiting" jobs={live} names={names} none="Nothing runs just now." />
          {me.data !== undefined && <WorkspaceSection me={me.data} />}
          {bad.length > 0 && <JobSection title="Failed lately" jobs={bad} names={names} none="" />}
          <div className="grid">
            <RecentProjects projects={mine.slice(0, 6)} />
            <Places />
          </div>
          <JobSection title="Last finished" jobs={found.filter((job) => over(job) && !failed(job)).slice(0, LAST)}
            names={names} none="No job has finished yet." />
          <p className="soft small">All of them: <Anchor component={Link} to="/jobs" inherit>jobs</Anchor></p>
        </div>
      )}
    </>
  );
}

function JobSection({ title, jobs, names, none }: {
  title: string; jobs: Job[]; names: Map<string, Project>; none: string;
}) {
  return (
    <section className="card flush" aria-label={title}>
      <Title order={2} style={{ padding: "16px 20px 12px", margin: 0 }}>{title}</Title>
      {jobs.length === 0
        ? <p className="soft" style={{ margin: 0, padding: "0 20px 18px" }}>{none}</p>
        : <JobTable jobs={jobs} projects={names} />}
    </section>
  );
}

function greeting(name: string | undefined): string {
  return name === undefined ? "Overview" : `Hello, ${name}`;
}

function summary(live: Job[], bad: Job[], projects: Project[]): string {
  if (projects.length === 0) return "There is nothing here yet. A project is where everything begins.";
  const running = live.length === 0 ? "Nothing runs" : `${counted(live.length, "job")} not finished`;
  return bad.length === 0 ? `${running}; none of the newest failed.` : `${running}; ${counted(bad.length, "job")} failed lately.`;
}
