// Keeping a secret, or giving it a new value. What is typed is sent and shown to nobody again.
import { Button, Group, Modal, SegmentedControl, PasswordInput, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Secret } from "../api/views";
import { tellDone } from "../parts/tell";
import { valueOf, wrongInSecretName } from "./rules";

interface Props {
  secret: Secret | "new" | null;
  projectId: string | null;
  onClose: () => void;
}

export function SecretDialog({ secret, projectId, onClose }: Props) {
  const title = secret === "new" || secret === null ? "New secret" : `A new value for ${secret.name.slice(0, 60)}`;
  return (
    <Modal opened={secret !== null} onClose={onClose} closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">{title}</Text>}>
      {secret !== null && <Form secret={secret === "new" ? null : secret} projectId={projectId} onDone={onClose} />}
    </Modal>
  );
}

function Form({ secret, projectId, onDone }: { secret: Secret | null; projectId: string | null; onDone: () => void }) {
  const [name, setName] = useState("");
  const [typed, setTyped] = useState("");
  const [lines, setLines] = useState<"one" | "many">("one");
  const [touched, setTouched] = useState(false);
  const queries = useQueryClient();
  const wrong = secret === null ? wrongInSecretName(name.trim()) : null;
  const save = useMutation({
    mutationFn: () => secret === null
      ? ok(client.POST("/secrets", { body: { name: name.trim(), value: valueOf(typed), project_id: projectId } }))
      : ok(client.PUT("/secrets/{id}", { params: { path: { id: secret.id } }, body: { value: valueOf(typed) } })),
    onSuccess: (now) => {
      tellDone(secret === null ? `${now.name} is kept` : `${now.name} has a new value, for later runs`);
      void queries.invalidateQueries({ queryKey: ["secrets"] });
      onDone();
    },
    gcTime: 0, // what was typed is not kept with the finished call
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (wrong === null && typed !== "") save.mutate();
  };
  const problem = touched && typed === "" ? "A secret needs a value." : null;
  return (
    <form className="stack" onSubmit={submit} noValidate autoComplete="off">
      {secret === null && (
        <TextInput label="Name" description="The variable in which runs find it." placeholder="DB_PASSWORD" data-autofocus required value={name} maxLength={200}
          autoComplete="off" spellCheck={false} styles={{ input: { fontFamily: "var(--mono)" } }}
          error={touched || name.length > 1 ? wrong : null} onChange={(event) => setName(event.currentTarget.value)} />
      )}
      <SegmentedControl aria-label="How long the value is" value={lines} onChange={(value) => setLines(value === "many" ? "many" : "one")}
        data={[{ value: "one", label: "One line" }, { value: "many", label: "Several lines" }]} />
      {lines === "one"
        ? <PasswordInput label="Value" required value={typed} maxLength={65_536} autoComplete="new-password" error={problem} visibilityToggleButtonProps={{ "aria-label": "Show what is typed" }}
            onChange={(event) => setTyped(event.currentTarget.value)} />
        : <Textarea label="Value" required value={typed} autosize minRows={4} maxRows={12} maxLength={65_536} autoComplete="off" spellCheck={false} error={problem}
            styles={{ input: { fontFamily: "var(--mono)" } }} onChange={(event) => setTyped(event.currentTarget.value)} />}
      <p className="soft small" style={{ margin: 0 }}>Nobody is shown it again, you neither. Values of fewer than 6 characters are not hidden in logs.</p>
      {save.error !== null && <div className="notice bad" role="alert">{wordsOf(save.error)}</div>}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>Cancel</Button>
        <Button type="submit" loading={save.isPending}>{secret === null ? "Keep it" : "Replace it"}</Button>
      </Group>
    </form>
  );
}
