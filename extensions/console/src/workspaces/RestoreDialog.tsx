// Putting a snapshot back: the workspace starts with its files once.
import { Button, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Snapshot, Workspace } from "../api/views";
import { Ago } from "../parts/Ago";
import { tellDone } from "../parts/tell";
import { live } from "./rules";
import { useWorkspaceVerbs } from "./verbs";

export function RestoreDialog({ workspace, snapshot, onClose }: { workspace: Workspace; snapshot: Snapshot; onClose: () => void }) {
  const queries = useQueryClient();
  const { stop } = useWorkspaceVerbs(workspace);
  const params = { path: { id: workspace.id } };
  const restore = useMutation({
    mutationFn: async (start: boolean) => {
      const made = await ok(client.POST("/workspaces/{id}/restore", { params, body: { number: snapshot.number } }));
      if (start) await ok(client.POST("/workspaces/{id}/start", { params }));
      return made;
    },
    onSuccess: (made, start) => {
      tellDone(start ? `It starts with the files of snapshot ${made.number}` : `Its next start has the files of snapshot ${made.number}`);
      void queries.invalidateQueries({ queryKey: ["workspace", workspace.id] });
      onClose();
    },
  });
  const runs = live(workspace);
  return (
    <Modal opened onClose={onClose} closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">Put snapshot {snapshot.number} back?</Text>}>
      <div className="stack">
        <p style={{ margin: 0 }}>
          The next start has the files as they were <Ago time={snapshot.taken_at} />. What is there now is in its newest snapshot and can be had back the same way. Files that neither git
          nor the snapshot knows stay where they are.
        </p>
        {runs && <div className="notice wait">{workspace.status === "Stopping" ? "The workspace is being stopped. A moment." : "The workspace runs: it has to be stopped first."}</div>}
        {restore.error !== null && <div className="notice bad" role="alert">{wordsOf(restore.error)}</div>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose} data-autofocus>Leave it</Button>
          {runs ? <Button loading={stop.isPending || workspace.target === "stopped"} onClick={() => stop.mutate()}>Stop it</Button> : (
            <>
              <Button variant="default" loading={restore.isPending} onClick={() => restore.mutate(false)}>Put it back</Button>
              <Button loading={restore.isPending} onClick={() => restore.mutate(true)}>Put it back and start</Button>
            </>
          )}
        </Group>
      </div>
    </Modal>
  );
}
