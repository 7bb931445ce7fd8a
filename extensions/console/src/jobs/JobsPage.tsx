// All jobs that one may see, with filters in the address, so that a view can be shared.
import { Title } from "@mantine/core";

import { PageHead } from "../parts/PageHead";
import { JobsBrowser } from "./JobsBrowser";

export function JobsPage() {
  return (
    <>
      <PageHead title="Jobs" about="The jobs of all your projects, the newest first." />
      <Title order={2} className="visually-hidden">List</Title>
      <JobsBrowser />
    </>
  );
}
