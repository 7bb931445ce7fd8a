// Deleting a project, for which its name has to be typed.
import { Button, Group, Modal, Text, TextInput, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Project } from "../api/views";
import { tellDone } from "../parts/tell";

export function DeleteProject({ project, onDone }: { project: Project; onDone: () => void }) {
  const [opened, { open, close }] = useDisclosure(false);
  const [typed, setTyped] = useState("");
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => ok(client.DELETE("/projects/{id}", { params: { path: { id: project.id } } })),
    onSuccess: () => {
      tellDone(`${project.name} is deleted`);
      onDone();
      queries.removeQueries({ queryKey: ["project", project.id] });
      void queries.invalidateQueries({ queryKey: ["projects"] });
    },
  });
  return (
    <section className="card stack" aria-label="Delete">
      <Title order={2}>Delete the project</Title>
      <p className="soft" style={{ margin: 0 }}>Its files, history, jobs and their results go with it. Nothing of it may be running.</p>
      <div><Button variant="default" onClick={open}>Delete …</Button></div>
      <Modal opened={opened} onClose={close} closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">Delete {project.name}?</Text>}>
        <div className="stack">
          <p style={{ margin: 0 }}>This cannot be undone. Type its name to go on.</p>
          <TextInput data-autofocus aria-label="Name of the project" placeholder={project.name} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
          {remove.error !== null && <div className="notice bad" role="alert">{wordsOf(remove.error)}</div>}
          <Group justify="flex-end">
            <Button variant="default" onClick={close}>Leave it</Button>
            <Button color="red.9" disabled={typed !== project.name} loading={remove.isPending} onClick={() => remove.mutate()}>Delete it</Button>
          </Group>
        </div>
      </Modal>
    </section>
  );
}
