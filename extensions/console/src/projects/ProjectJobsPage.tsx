// The jobs of one project.
import { Button } from "@mantine/core";
import { useNavigate } from "react-router";

import { JobsBrowser } from "../jobs/JobsBrowser";
import { Empty } from "../parts/Empty";
import { useProject } from "./ProjectLayout";

export function ProjectJobsPage() {
  const { project, rights } = useProject();
  const navigate = useNavigate();
  return (
    <JobsBrowser projectId={project.id} compares={rights.outputs} empty={
      <Empty title="No job yet">
        <p>A job runs a command or a file of this project, in an environment, on a hardware tier.</p>
        {rights.run && <Button onClick={() => void navigate({ search: "?run" }, { replace: true })}>Run the first one</Button>}
      </Empty>
    } />
  );
}
