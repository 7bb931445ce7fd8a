// Opening a snapshot beside: a branch of the project, which its members see.
import { Button, Group, Modal, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Snapshot, Workspace } from "../api/views";
import { tellDone } from "../parts/tell";

export function BranchDialog({ workspace, snapshot, onClose }: { workspace: Workspace; snapshot: Snapshot; onClose: () => void }) {
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => ok(client.POST("/workspaces/{id}/snapshots/{number}/branch", {
      params: { path: { id: workspace.id, number: String(snapshot.number) } }, body: { name: name.trim() },
    })),
    onSuccess: (made) => {
      tellDone(`${made.name} is a branch of ${workspace.project} now`);
      void queries.invalidateQueries({ queryKey: ["project", workspace.project_id, "files"] });
      onClose();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (name.trim() !== "") make.mutate();
  };
  return (
    <Modal opened onClose={onClose} closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">A branch of snapshot {snapshot.number}</Text>}>
      <form className="stack" onSubmit={submit}>
        <TextInput label="Name of the branch" data-autofocus required maxLength={250} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <div className="notice wait">Members of {workspace.project} see the branch, with all files of the snapshot.</div>
        {make.error !== null && <div className="notice bad" role="alert">{wordsOf(make.error)}</div>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={make.isPending} disabled={name.trim() === ""}>Make it</Button>
        </Group>
      </form>
    </Modal>
  );
}
