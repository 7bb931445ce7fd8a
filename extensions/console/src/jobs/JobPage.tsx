// A job: where it stands and why, its log as it is written, what it used, what it left.
import { Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useParams, useSearchParams } from "react-router";

import type { Job } from "../api/views";
import { LogView } from "../logs/LogView";
import { Shown } from "../parts/Shown";
import { meQuery } from "../people/queries";
import { projectQuery, rightsIn } from "../projects/queries";
import { JobFacts } from "./JobFacts";
import { JobHead } from "./JobHead";
import { JobOutputs } from "./JobOutputs";
import { JobResources } from "./JobResources";
import { JobRuns } from "./JobRuns";
import { JobTimeline } from "./JobTimeline";
import { jobQuery } from "./queries";
import { failed, over } from "./rules";

export function JobPage() {
  const { jobId = "" } = useParams();
  return (
    <Shown query={useQuery(jobQuery(jobId))} what="the job">
      {(job) => <JobView key={job.id} job={job} />}
    </Shown>
  );
}

function JobView({ job }: { job: Job }) {
  const [address, setAddress] = useSearchParams();
  const project = useQuery(projectQuery(job.project_id));
  const me = useQuery(meQuery);
  const known = !project.isPending && !me.isPending;
  // Support sees how work runs, not what it left.
  const results = project.data === undefined || me.data === undefined || rightsIn(project.data, me.data).outputs;
  const tab = (results ? address.get("tab") : null) ?? "log";
  return (
    <>
      <JobHead job={job} />
      {failed(job) && <Why job={job} />}
      <div className="job-columns">
        <Tabs value={tab} onChange={(value) => setAddress(value === null || value === "log" ? {} : { tab: value }, { replace: true })} keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="log">Log</Tabs.Tab>
            {results && <Tabs.Tab value="outputs">Outputs</Tabs.Tab>}
            {results && <Tabs.Tab value="resources">CPU and memory</Tabs.Tab>}
          </Tabs.List>
          <Tabs.Panel value="log" pt="md"><LogView jobId={job.id} number={job.number} done={over(job)} attempt={job.attempt} /></Tabs.Panel>
          {known && <Tabs.Panel value="outputs" pt="md"><JobOutputs job={job} /></Tabs.Panel>}
          {known && <Tabs.Panel value="resources" pt="md"><JobResources job={job} /></Tabs.Panel>}
        </Tabs>
        <aside className="stack">
          <JobTimeline job={job} />
          <JobRuns job={job} />
          <JobFacts job={job} />
        </aside>
      </div>
    </>
  );
}

function Why({ job }: { job: Job }) {
  return (
    <div className="notice bad" style={{ marginBottom: 18 }} role="status">
      <p>
        <strong>{job.status === "Failed" ? "The program failed" : "The platform could not run it"}</strong>
        {job.reason === null ? "" : `: ${job.reason}`}
      </p>
      {job.last_lines !== null && job.last_lines !== "" && (
        <details style={{ marginTop: 6 }}>
          <summary>Its last lines</summary>
          <pre className="code wraps" style={{ marginTop: 8 }} tabIndex={0}>{job.last_lines}</pre>
        </details>
      )}
    </div>
  );
}
