// The head of a job's page: which one it is, where it stands, what can be done with it.
import { Anchor, Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "react-router";

import { client, ok } from "../api/client";
import type { Job } from "../api/views";
import { ConfirmButton } from "../parts/ConfirmButton";
import { PageHead } from "../parts/PageHead";
import { StatusPill } from "../parts/StatusPill";
import { tellDone, tellProblem } from "../parts/tell";
import { meQuery } from "../people/queries";
import { fullName, projectQuery, rightsIn } from "../projects/queries";
import { nameOf, over } from "./rules";

export function JobHead({ job }: { job: Job }) {
  const project = useQuery(projectQuery(job.project_id)).data;
  const me = useQuery(meQuery).data;
  const may = project !== undefined && rightsIn(project, me).run;
  return (
    <>
      <PageHead
        name={`#${job.number} ${nameOf(job)}`}
        title={<><span className="soft">#{job.number}</span> {nameOf(job).slice(0, 200)}</>}
        about={
          <span className="row tight">
            <StatusPill status={job.status} />
            {job.reason !== null && <span aria-live="polite">{job.reason}</span>}
            {project !== undefined && (
              <Anchor component={Link} to={`/projects/${project.id}/jobs`} inherit className="wrap">{fullName(project)}</Anchor>
            )}
          </span>
        }
      >
        {may && <Actions job={job} />}
      </PageHead>
    </>
  );
}

function Actions({ job }: { job: Job }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const path = { id: job.id };
  const stop = useMutation({
    mutationFn: () => ok(client.POST("/jobs/{id}/stop", { params: { path } })),
    onSuccess: (now) => {
      queries.setQueryData(["job", job.id], now);
      tellDone(`Job #${job.number} is asked to stop`);
    },
    onError: (error) => tellProblem(error, "It could not be stopped"),
  });
  const rerun = useMutation({
    mutationFn: (commit: "same" | "newest") =>
      ok(client.POST("/jobs/{id}/rerun", { params: { path }, body: { commit } })),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: ["jobs"] });
      tellDone(`Job #${made.number} is on its way`);
      void navigate(`/jobs/${made.id}`);
    },
    onError: (error) => tellProblem(error, "It could not be run again"),
  });
  if (!over(job)) {
    return (
      <ConfirmButton label="Stop" question={`Stop job #${job.number}?`} confirm="Stop it"
        busy={stop.isPending || job.target === "stopped"} onConfirm={() => stop.mutate()}>
        The program has some seconds to end by itself. What it has written until then is kept.
      </ConfirmButton>
    );
  }
  return (
    <>
      {job.rerun_of !== null && (
        <Button component={Link} variant="default" to={`/jobs/compare?left=${job.rerun_of}&right=${job.id}`}>
          Compare with before
        </Button>
      )}
      <Button variant="default" loading={rerun.isPending} onClick={() => rerun.mutate("newest")}>
        Run with the newest code
      </Button>
      <Button loading={rerun.isPending} onClick={() => rerun.mutate("same")}>Run again</Button>
    </>
  );
}
