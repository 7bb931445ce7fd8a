// What can be set of a project, and deleting it.
import { Button, Radio, Select, TextInput, Textarea, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useNavigate } from "react-router";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import { branchesQuery } from "../files/queries";
import { tellDone } from "../parts/tell";
import { tiersQuery } from "../planes/queries";
import { DeleteProject } from "./DeleteProject";
import { useProject } from "./ProjectLayout";
import { wrongInName } from "./rules";

export function SettingsPage() {
  const { project } = useProject();
  const [name, setName] = useState(project.name);
  const [description, setDescription] = useState(project.description);
  const [visibility, setVisibility] = useState(project.visibility);
  const [tier, setTier] = useState(project.default_tier);
  const [branch, setBranch] = useState(project.default_branch);
  const tiers = useQuery(tiersQuery).data ?? [];
  const branches = useQuery(branchesQuery(project.id)).data ?? [];
  const queries = useQueryClient();
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: () => ok(client.PATCH("/projects/{id}", {
      params: { path: { id: project.id } },
      body: {
        ...(name === project.name ? {} : { name }),
        description, visibility, default_tier: tier,
        ...(branch === project.default_branch ? {} : { default_branch: branch }),
      },
    })),
    onSuccess: (now) => {
      queries.setQueryData(["project", project.id], now);
      void queries.invalidateQueries({ queryKey: ["projects"] });
      tellDone("The settings are saved");
    },
  });
  const wrong = wrongInName(name);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (wrong === null) save.mutate();
  };
  return (
    <div className="stack" style={{ maxWidth: 680 }}>
      <form className="card stack" onSubmit={submit} noValidate>
        <Title order={2}>Settings</Title>
        <TextInput label="Name" value={name} error={wrong} onChange={(event) => setName(event.currentTarget.value)}
          description="Addresses with the old name go on working." />
        <Textarea label="Description" autosize minRows={2} maxRows={8} maxLength={10_000} value={description}
          onChange={(event) => setDescription(event.currentTarget.value)} />
        <Radio.Group label="Who may see it" value={visibility} onChange={(value) => setVisibility(value === "internal" ? "internal" : "private")}>
          <div className="stack" style={{ gap: 8, marginTop: 6 }}>
            <Radio value="private" label="Private: its members" />
            <Radio value="internal" label="Internal: everybody who can log in may read its files" />
          </div>
        </Radio.Group>
        <Select label="Hardware tier of its jobs" clearable placeholder="The platform's default" data={tiers.map((one) => one.name)} value={tier}
          clearButtonProps={{ "aria-label": "The platform's default" }} onChange={setTier} />
        <Select label="Default branch" data={[...new Set([branch, ...branches.map((one) => one.name)])]} value={branch} allowDeselect={false}
          onChange={(value) => { if (value !== null) setBranch(value); }} />
        {save.error !== null && <div className="notice bad" role="alert">{wordsOf(save.error)}</div>}
        <div><Button type="submit" loading={save.isPending} disabled={wrong !== null}>Save</Button></div>
      </form>
      <DeleteProject project={project} onDone={() => void navigate("/projects")} />
    </div>
  );
}
