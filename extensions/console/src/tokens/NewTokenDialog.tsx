// Making a token, and showing it this once.
import { Button, Group, Modal, NumberInput, Select, Text, TextInput } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import { itemsOf } from "../api/lists";
import type { components } from "../api/schema";
import { CopyLine } from "../parts/CopyLine";
import { meQuery } from "../people/queries";
import { fullName, projectsList } from "../projects/queries";

type Permission = components["schemas"]["Permission"];

const READING: Permission[] = [
  "me:read", "projects:list", "project:read", "members:read", "files:read", "jobs:list", "job:read", "outputs:read",
  "environments:read", "tiers:read", "planes:read", "events:read",
];

export function NewTokenDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} size="lg" closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">New token</Text>}>
      {opened && <Form onDone={onClose} />}
    </Modal>
  );
}

function Form({ onDone }: { onDone: () => void }) {
  const [name, setName] = useState("");
  const [project, setProject] = useState<string | null>(null);
  const [reach, setReach] = useState<"all" | "read">("all");
  const [days, setDays] = useState<number | string>(90);
  const me = useQuery(meQuery).data;
  const projects = itemsOf(useInfiniteQuery(projectsList()).data);
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => ok(client.POST("/tokens", {
      body: { name: name.trim(), project_id: project, rights: reach === "read" ? READING : null, expires_in_days: Number(days) },
    })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["tokens"] }),
  });
  if (make.data !== undefined) {
    return (
      <div className="stack">
        <div className="notice good" role="status">This is the token. It is shown only now: copy it to where it is needed.</div>
        <CopyLine name="the token" text={make.data.token} />
        <Group justify="flex-end"><Button onClick={onDone}>I have it</Button></Group>
      </div>
    );
  }
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (name.trim() !== "") make.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextInput label="What it is for" required data-autofocus maxLength={255} value={name} placeholder="nightly training" onChange={(event) => setName(event.currentTarget.value)} />
      <Select label="Project" placeholder={`All that ${me?.name ?? "you"} may see`} clearable clearButtonProps={{ "aria-label": "All projects" }} searchable
        data={projects.map((one) => ({ value: one.id, label: fullName(one) }))} value={project} onChange={setProject} />
      <Select label="What it may do" allowDeselect={false} value={reach} onChange={(value) => setReach(value === "read" ? "read" : "all")}
        data={[{ value: "all", label: "All that you may do" }, { value: "read", label: "Only look" }]} />
      <NumberInput label="Ends after days" min={1} max={365} clampBehavior="strict" value={days} onChange={setDays} />
      {make.error !== null && <div className="notice bad" role="alert">{wordsOf(make.error)}</div>}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>Cancel</Button>
        <Button type="submit" loading={make.isPending} disabled={name.trim() === ""}>Make the token</Button>
      </Group>
    </form>
  );
}
