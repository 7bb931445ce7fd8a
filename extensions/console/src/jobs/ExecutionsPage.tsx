// Everything that runs or has run on the platform, for those who keep it running.
import { PageHead } from "../parts/PageHead";
import { JobsBrowser } from "./JobsBrowser";

export function ExecutionsPage() {
  return (
    <>
      <PageHead title="Executions" about="All that runs and has run, of everybody. Open one to see why it waits, and to stop it." />
      <JobsBrowser />
    </>
  );
}
