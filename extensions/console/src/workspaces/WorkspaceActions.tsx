// The buttons of a workspace: those that do something just now, and no others.
import { Button } from "@mantine/core";

import type { Workspace } from "../api/views";
import { ConfirmButton } from "../parts/ConfirmButton";
import { IconExternalLink } from "../parts/icons";
import { opens, starts, stops } from "./rules";
import { useWorkspaceVerbs } from "./verbs";

interface Props {
  workspace: Workspace;
  /** Whether it is the reader's own; of others' an administrator may only stop one. */
  own: boolean;
  admin: boolean;
  size?: "compact-sm" | "sm";
}

export function WorkspaceActions({ workspace, own, admin, size = "compact-sm" }: Props) {
  const verbs = useWorkspaceVerbs(workspace);
  const name = workspace.title;
  if (workspace.deleted_at !== null) {
    return own ? <Button variant="default" size={size} loading={verbs.undelete.isPending} onClick={() => verbs.undelete.mutate()}>Have it back</Button> : null;
  }
  return (
    <div className="row tight nowrap-row">
      {own && opens(workspace) && (
        <Button size={size} component="a" href={workspace.url ?? ""} target="_blank" rel="noopener" aria-label={`Open ${name} in a new tab`}
          rightSection={<IconExternalLink size={14} />}>Open</Button>
      )}
      {own && starts(workspace) && (
        <Button size={size} variant={size === "sm" ? "filled" : "default"} loading={verbs.start.isPending || workspace.status === "Stopping"} aria-label={`Start ${name}`}
          onClick={() => verbs.start.mutate()}>Start</Button>
      )}
      {(own || admin) && stops(workspace) && (
        <ConfirmButton size={size} label="Stop" question={`Stop ${name}?`} confirm="Stop it" busy={verbs.stop.isPending} onConfirm={() => verbs.stop.mutate()}>
          {workspace.busy === null ? "Its kernels and terminals end. Its files stay as they are." : `Something works in it: ${workspace.busy}. That ends. Its files stay as they are.`}
          {!own && ` It is ${workspace.owner.name}'s.`}
        </ConfirmButton>
      )}
      {own && !stops(workspace) && (
        <Button size={size} variant="subtle" color="gray" loading={verbs.remove.isPending} aria-label={`Delete ${name}`} onClick={() => verbs.remove.mutate()}>Delete</Button>
      )}
    </div>
  );
}
