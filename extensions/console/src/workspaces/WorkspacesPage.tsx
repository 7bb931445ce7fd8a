// One's workspaces across all projects, and those of others that one may see.
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";

import { PageHead } from "../parts/PageHead";
import { ProjectPickDialog } from "./ProjectPickDialog";
import { WorkspacesBrowser } from "./WorkspacesBrowser";

export function WorkspacesPage() {
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <PageHead title="Workspaces" about="A workspace is JupyterLab on a project, in a folder that stays. What is in one, only its person opens.">
        <Button onClick={open}>New workspace</Button>
      </PageHead>
      <WorkspacesBrowser onNew={open} />
      <ProjectPickDialog opened={opened} onClose={close} />
    </>
  );
}
