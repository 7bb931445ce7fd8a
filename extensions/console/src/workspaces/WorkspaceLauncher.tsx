// Where a workspace is begun: tool, environment, hardware tier, branch; what it will wait is said.
import { Button, Drawer, Group, Select, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useNavigate } from "react-router";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Project } from "../api/views";
import { EnvironmentSelect } from "../environments/EnvironmentSelect";
import { branchesQuery } from "../files/queries";
import { tierOf, waitOf } from "../jobs/expected";
import { cost } from "../parts/format";
import { tellProblem } from "../parts/tell";
import { planesQuery, tiersQuery } from "../planes/queries";
import { TierSelect } from "../planes/TierSelect";
import { bodyOf, choicesOf, remember, type Choices } from "./choices";
import { wrongInWorkspaceName } from "./rules";

export function WorkspaceLauncher({ project, opened, onClose }: { project: Project; opened: boolean; onClose: () => void }) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="lg" closeButtonProps={{ "aria-label": "Close" }}
      title={<Text fw={650} size="lg" component="span">New workspace</Text>}>
      {opened && <Form project={project} onDone={onClose} />}
    </Drawer>
  );
}

function Form({ project, onDone }: { project: Project; onDone: () => void }) {
  const [choices, setChoices] = useState<Choices>(() => choicesOf(project.id));
  const set = (change: Partial<Choices>) => setChoices({ ...choices, ...change });
  const tiers = useQuery(tiersQuery).data ?? [];
  const planes = useQuery(planesQuery).data ?? [];
  const branches = useQuery(branchesQuery(project.id)).data ?? [];
  const tier = tierOf(tiers, choices.tier, project.default_tier);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: () => ok(client.POST("/workspaces", { body: bodyOf(project.id, choices) })),
    onSuccess: async (made) => {
      remember(project.id, choices);
      try {
        await ok(client.POST("/workspaces/{id}/start", { params: { path: { id: made.id } } }));
      } catch (error) {
        tellProblem(error, "It is made, and was not started");
      }
      void queries.invalidateQueries({ queryKey: ["workspaces"] });
      void navigate(`/workspaces/${made.id}`);
    },
  });
  const wrong = wrongInWorkspaceName(choices.name.trim());
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (wrong === null) make.mutate();
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <Select label="Tool" data={[{ value: "jupyterlab", label: "JupyterLab" }]} value={choices.tool} allowDeselect={false} />
      <Group grow align="start">
        <EnvironmentSelect none="The project's" value={choices.environment} onChange={(value) => set({ environment: value })} />
        <TierSelect value={tier?.name ?? null} onChange={(value) => set({ tier: value })} />
      </Group>
      <Select label="Branch" description="The files it begins with. Afterwards they are its own: git brings them up to date." searchable data={branches.map((one) => one.name)}
        value={choices.branch ?? project.default_branch} allowDeselect={false} onChange={(value) => set({ branch: value === project.default_branch ? null : value })} />
      <details>
        <summary>More: name and title</summary>
        <div className="stack" style={{ marginTop: 12 }}>
          <TextInput label="Name" description="Stands in its address and stays. Left empty it is made from the project's." value={choices.name} maxLength={30} error={wrong}
            onChange={(event) => set({ name: event.currentTarget.value })} />
          <TextInput label="Title" maxLength={100} value={choices.title} onChange={(event) => set({ title: event.currentTarget.value })} />
        </div>
      </details>
      {tier !== undefined && (
        <div className="notice live" role="status">
          <p>{waitOf(tier, planes.find((one) => one.name === tier.plane), "it")}</p>
          <p>{tier.price_per_hour === 0 ? "This tier costs nothing." : `This tier costs ${cost(tier.price_per_hour)} an hour, for as long as it runs.`}</p>
        </div>
      )}
      {make.error !== null && <div className="notice bad" role="alert">{wordsOf(make.error)}</div>}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>Cancel</Button>
        <Button type="submit" loading={make.isPending}>Start it</Button>
      </Group>
    </form>
  );
}
