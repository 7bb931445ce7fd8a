// The aliases of a model version: names such as champion, each of which names one version.
import { ActionIcon, Button, Popover, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { ModelVersion } from "../api/views";
import { IconX } from "../parts/icons";
import { tellDone, tellProblem } from "../parts/tell";
import { tellWithUndo } from "../parts/tellUndo";
import { useProject } from "../projects/ProjectLayout";
import { wrongInAlias } from "./rules";

export function Aliases({ name, version, may }: { name: string; version: ModelVersion; may: boolean }) {
  const { project } = useProject();
  const queries = useQueryClient();
  const after = () => void queries.invalidateQueries({ queryKey: ["models", project.id] });
  const path = (alias: string) => ({ params: { path: { id: project.id, name, alias } } });
  const set = useMutation({
    mutationFn: (alias: string) => ok(client.PUT("/projects/{id}/models/{name}/aliases/{alias}", { ...path(alias), body: { version: version.version } })),
    onSuccess: (_, alias) => { after(); tellDone(`${alias} is version ${version.version} now`); },
  });
  const remove = useMutation({
    mutationFn: (alias: string) => ok(client.DELETE("/projects/{id}/models/{name}/aliases/{alias}", path(alias))),
    onSuccess: (_, alias) => { after(); tellWithUndo(`${alias} names no version any more`, () => set.mutate(alias)); },
    onError: (error) => tellProblem(error, "The alias was not taken away"),
  });
  return (
    <span className="row tight">
      {version.aliases.map((alias) => (
        <span key={alias} className="tag row tight nowrap-row">
          <span className="clip">{alias.slice(0, 60)}</span>
          {may && <ActionIcon variant="transparent" color="gray" size={18} aria-label={`Take the alias ${alias} away from version ${version.version}`} loading={remove.isPending} onClick={() => remove.mutate(alias)}><IconX size={12} /></ActionIcon>}
        </span>
      ))}
      {may && <Add version={version.version} busy={set.isPending} error={set.error} onAdd={(alias, done) => set.mutate(alias, { onSuccess: done })} />}
      {!may && version.aliases.length === 0 && <span className="soft">none</span>}
    </span>
  );
}

function Add({ version, busy, error, onAdd }: { version: string; busy: boolean; error: unknown; onAdd: (alias: string, done: () => void) => void }) {
  const [open, setOpen] = useState(false);
  const [alias, setAlias] = useState("");
  const wrong = wrongInAlias(alias.trim());
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (wrong === null) onAdd(alias.trim(), () => { setOpen(false); setAlias(""); });
  };
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-start" width={270} shadow="md" trapFocus returnFocus>
      <Popover.Target><Button size="compact-xs" variant="default" aria-label={`Add an alias to version ${version}`} onClick={() => setOpen(!open)}>Add</Button></Popover.Target>
      <Popover.Dropdown>
        <form className="stack" style={{ gap: 10 }} onSubmit={submit}>
          <TextInput size="sm" label="Alias" placeholder="champion" description="If another version has it, it moves here." value={alias} maxLength={255} data-autofocus
            error={alias === "" ? null : wrong} onChange={(event) => setAlias(event.currentTarget.value)} />
          {error !== null && <div className="notice bad" role="alert">{wordsOf(error)}</div>}
          <Button type="submit" size="sm" loading={busy} disabled={wrong !== null}>Let it name version {version}</Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}
