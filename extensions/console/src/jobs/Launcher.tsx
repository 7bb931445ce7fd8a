// The one place where work is begun: what to run, in which environment, on which hardware. The
// choices of the last time are there again; what it will cost and wait is said before.
import { Button, Drawer, Group, SegmentedControl, Select, Text, TextInput, Textarea } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";
import { useNavigate } from "react-router";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Project } from "../api/views";
import { EnvironmentSelect } from "../environments/EnvironmentSelect";
import { branchesQuery } from "../files/queries";
import { tellDone } from "../parts/tell";
import { planesQuery, tiersQuery } from "../planes/queries";
import { TierSelect } from "../planes/TierSelect";
import { bodyOf, choicesOf, remember, type Choices, type SnapshotCode } from "./choices";
import { Expected } from "./Expected";
import { tierOf } from "./expected";

interface Props {
  project: Project;
  opened: boolean;
  /** A file to run, from the file's own page. */
  file: string | null;
  /** A snapshot of a workspace whose files are run, instead of a branch's. */
  code: SnapshotCode | null;
  onClose: () => void;
}

export function Launcher({ project, opened, file, code, onClose }: Props) {
  return (
    <Drawer opened={opened} onClose={onClose} position="right" size="lg" closeButtonProps={{ "aria-label": "Close" }}
      title={<Text fw={650} size="lg" component="span">Run a job</Text>}>
      {opened && <Form project={project} file={file} code={code} onDone={onClose} />}
    </Drawer>
  );
}

function Form({ project, file, code, onDone }: { project: Project; file: string | null; code: SnapshotCode | null; onDone: () => void }) {
  const [choices, setChoices] = useState<Choices>(() => choicesOf(project.id, file));
  const [touched, setTouched] = useState(false);
  const set = (change: Partial<Choices>) => setChoices({ ...choices, ...change });
  const tiers = useQuery(tiersQuery).data ?? [];
  const planes = useQuery(planesQuery).data ?? [];
  const branches = useQuery(branchesQuery(project.id)).data ?? [];
  const tier = tierOf(tiers, choices.tier, project.default_tier);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const start = useMutation({
    mutationFn: () => ok(client.POST("/jobs", { body: bodyOf(project.id, choices, code) })),
    onSuccess: (job) => {
      remember(project.id, choices);
      void queries.invalidateQueries({ queryKey: ["jobs"] });
      tellDone(`Job #${job.number} is on its way`);
      void navigate(`/jobs/${job.id}`);
    },
  });
  const missing = choices.what.trim() === "";
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (!missing) start.mutate();
  };
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <SegmentedControl value={choices.kind} onChange={(value) => set({ kind: value === "file" ? "file" : "command" })} aria-label="What to run"
        data={[{ value: "command", label: "A command" }, { value: "file", label: "A file" }]} />
      <TextInput label={choices.kind === "file" ? "File" : "Command"} data-autofocus required value={choices.what} maxLength={8000}
        placeholder={choices.kind === "file" ? "train.py or report.ipynb" : "python train.py --trees 200"}
        error={touched && missing ? "Say what to run." : null} styles={{ input: { fontFamily: "var(--mono)" } }} onChange={(event) => set({ what: event.currentTarget.value })} />
      {choices.kind === "file" && (
        <TextInput label="Arguments" placeholder="--trees 200" value={choices.args} maxLength={8000} onChange={(event) => set({ args: event.currentTarget.value })} />
      )}
      <Group grow align="start">
        <EnvironmentSelect none="The default" value={choices.environment} onChange={(value) => set({ environment: value })} />
        <TierSelect value={tier?.name ?? null} onChange={(value) => set({ tier: value })} />
      </Group>
      {code !== null ? (
        <div className="notice wait">It runs the files of snapshot {code.snapshot} of the workspace. They are copied into the project, where its members see them as the job&apos;s code.</div>
      ) : <Select label="Code of branch" data={branches.map((one) => one.name)} value={choices.ref ?? project.default_branch} allowDeselect={false}
        onChange={(value) => set({ ref: value === project.default_branch ? null : value })} />}
      <details>
        <summary>More: title, tags, variables, time limit, retries</summary>
        <div className="stack" style={{ marginTop: 12 }}>
          <TextInput label="Title" maxLength={200} value={choices.title} onChange={(event) => set({ title: event.currentTarget.value })} />
          <TextInput label="Tags" description="With commas between them." value={choices.tags} onChange={(event) => set({ tags: event.currentTarget.value })} />
          <Textarea label="Variables" description="One a line: NAME=value. They are shown to everybody who may see the job: no secrets here." autosize minRows={2} maxRows={8}
            value={choices.env} onChange={(event) => set({ env: event.currentTarget.value })} />
          <Group grow align="start">
            <TextInput label="Time limit in minutes" inputMode="decimal" placeholder="The platform's" value={choices.minutes} onChange={(event) => set({ minutes: event.currentTarget.value })} />
            <TextInput label="Retries" inputMode="numeric" placeholder="0" value={choices.retries} onChange={(event) => set({ retries: event.currentTarget.value })} />
          </Group>
        </div>
      </details>
      {tier !== undefined && <Expected projectId={project.id} tier={tier} planes={planes} what={choices.what} />}
      {start.error !== null && <div className="notice bad" role="alert">{wordsOf(start.error)}</div>}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>Cancel</Button>
        <Button type="submit" loading={start.isPending}>Run it</Button>
      </Group>
    </form>
  );
}
