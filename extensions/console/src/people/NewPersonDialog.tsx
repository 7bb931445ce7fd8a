// Adding a person: a name and roles; then the one-time password, once.
import { Button, Group, Modal, MultiSelect, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { PlatformRole } from "../api/views";
import { OneTimePassword } from "./OneTimePassword";
import { ROLES, wrongInAccountName } from "./rules";

export function NewPersonDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [told, setTold] = useState(false);
  const close = () => {
    setTold(false);
    onClose();
  };
  return (
    <Modal opened={opened} onClose={close} closeOnClickOutside={!told} closeOnEscape={!told} closeButtonProps={{ "aria-label": "Close" }}
      title={<Text fw={650} component="span">Add a person</Text>}>
      {opened && <Form onTold={setTold} onClose={close} />}
    </Modal>
  );
}

function Form({ onTold, onClose }: { onTold: (told: boolean) => void; onClose: () => void }) {
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<PlatformRole[]>(["practitioner"]);
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: () => ok(client.POST("/people", { body: { name, roles } })),
    onSuccess: () => {
      onTold(true);
      void queries.invalidateQueries({ queryKey: ["people"] });
    },
  });
  const wrong = wrongInAccountName(name);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (wrong === null) add.mutate();
  };
  if (add.data !== undefined) {
    const another = () => {
      onTold(false);
      setName("");
      add.reset();
    };
    return (
      <div className="stack">
        <OneTimePassword name={add.data.name} password={add.data.password} />
        <Group justify="flex-end"><Button variant="default" onClick={another}>Add another</Button><Button onClick={onClose}>I have noted it</Button></Group>
      </div>
    );
  }
  return (
    <form className="stack" onSubmit={submit} noValidate>
      <TextInput label="Name" description="To log in with. It cannot be changed." placeholder="nora" data-autofocus required value={name} maxLength={63} autoComplete="off" spellCheck={false}
        error={name === "" ? null : wrong} onChange={(event) => setName(event.currentTarget.value)} />
      <MultiSelect label="Roles on the platform" data={ROLES} value={roles} onChange={setRoles} />
      {add.error !== null && <div className="notice bad" role="alert">{wordsOf(add.error)}</div>}
      <Group justify="flex-end"><Button variant="default" onClick={onClose}>Cancel</Button><Button type="submit" loading={add.isPending} disabled={wrong !== null}>Add {name === "" ? "them" : name.slice(0, 20)}</Button></Group>
    </form>
  );
}
