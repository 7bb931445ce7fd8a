// What a workspace gets at its next start.
import { Button, Group, TextInput, Title } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Workspace } from "../api/views";
import { EnvironmentSelect } from "../environments/EnvironmentSelect";
import { tellDone } from "../parts/tell";
import { TierSelect } from "../planes/TierSelect";
import { live } from "./rules";

export function WorkspaceSettings({ workspace }: { workspace: Workspace }) {
  const [title, setTitle] = useState(workspace.title);
  const [environment, setEnvironment] = useState(workspace.environment_id);
  const [tier, setTier] = useState(workspace.tier);
  const queries = useQueryClient();
  const change = {
    ...(title.trim() === workspace.title ? {} : { title: title.trim() }),
    ...(environment === workspace.environment_id ? {} : { environment_id: environment }),
    ...(tier === workspace.tier ? {} : { tier }),
  };
  const nothing = Object.keys(change).length === 0;
  const save = useMutation({
    mutationFn: () => ok(client.PATCH("/workspaces/{id}", { params: { path: { id: workspace.id } }, body: change })),
    onSuccess: (now) => {
      queries.setQueryData(["workspace", now.id], now);
      void queries.invalidateQueries({ queryKey: ["workspaces"] });
      tellDone(live(now) && (tier !== workspace.tier || environment !== workspace.environment_id) ? "Saved: it counts from the next start" : "Saved");
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!nothing) save.mutate();
  };
  return (
    <form className="card stack" onSubmit={submit} aria-label="Settings">
      <Title order={2}>For the next start</Title>
      <TextInput label="Title" value={title} maxLength={100} required onChange={(event) => setTitle(event.currentTarget.value)} />
      <Group grow align="start">
        <EnvironmentSelect value={environment} onChange={(value) => { if (value !== null) setEnvironment(value); }} />
        <TierSelect none="The project's" value={tier} onChange={setTier} />
      </Group>
      {save.error !== null && <div className="notice bad" role="alert">{wordsOf(save.error)}</div>}
      <Group justify="flex-end"><Button type="submit" variant="default" disabled={nothing || title.trim() === ""} loading={save.isPending}>Save</Button></Group>
    </form>
  );
}
