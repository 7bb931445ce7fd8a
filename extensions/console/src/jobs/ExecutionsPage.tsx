// Everything that runs or has run on the platform, for those who keep it running.
import { SegmentedControl } from "@mantine/core";
import { useSearchParams } from "react-router";

import { PageHead } from "../parts/PageHead";
import { WorkspacesBrowser } from "../workspaces/WorkspacesBrowser";
import { JobsBrowser } from "./JobsBrowser";

export function ExecutionsPage() {
  const [address, setAddress] = useSearchParams();
  const kind = address.get("kind") === "workspaces" ? "workspaces" : "jobs";
  return (
    <>
      <PageHead title="Executions" about="All that runs and has run, of everybody: why it waits, and stopping it." />
      <div className="stack">
        <div className="row">
          <SegmentedControl aria-label="Executions of what" value={kind} onChange={(value) => setAddress(value === "jobs" ? {} : { kind: value }, { replace: true })}
            data={[{ value: "jobs", label: "Jobs" }, { value: "workspaces", label: "Workspaces" }]} />
        </div>
        {kind === "jobs" ? <JobsBrowser stops /> : <WorkspacesBrowser whose="all" />}
      </div>
    </>
  );
}
