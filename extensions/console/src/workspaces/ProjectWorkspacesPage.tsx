// The workspaces of one project.
import { Button } from "@mantine/core";
import { useSearchParams } from "react-router";

import { useProject } from "../projects/ProjectLayout";
import { WorkspaceLauncher } from "./WorkspaceLauncher";
import { WorkspacesBrowser } from "./WorkspacesBrowser";

export function ProjectWorkspacesPage() {
  const { project, rights } = useProject();
  const [address, setAddress] = useSearchParams();
  const set = (open: boolean) => {
    const next = new URLSearchParams(address);
    if (open) next.set("new", "");
    else next.delete("new");
    setAddress(next, { replace: true });
  };
  return (
    <>
      <WorkspacesBrowser projectId={project.id} whose={rights.run ? "mine" : "all"} {...(rights.run ? { onNew: () => set(true) } : {})}>
        {rights.run && <Button variant="default" onClick={() => set(true)}>New workspace</Button>}
      </WorkspacesBrowser>
      <WorkspaceLauncher project={project} opened={rights.run && address.has("new")} onClose={() => set(false)} />
    </>
  );
}
