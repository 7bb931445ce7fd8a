// The places that run work: whether their agents are there, and how full they are.
import { Button, Group, Modal, Text, TextInput, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Plane } from "../api/views";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";
import { tellDone } from "../parts/tell";
import { administers, meQuery } from "../people/queries";
import { Enrolment } from "./Enrolment";
import { PlaneUse } from "./PlaneUse";
import { planesQuery } from "./queries";

export function PlanesPage() {
  const [opened, { open, close }] = useDisclosure(false);
  const may = administers(useQuery(meQuery).data);
  return (
    <>
      <PageHead title="Data planes" about="A data plane runs work; its agent connects to Smalti from inside and needs no open port.">
        {may && <Button onClick={open}>New data plane</Button>}
      </PageHead>
      <Shown query={useQuery(planesQuery)} what="the data planes">
        {(planes) => planes.length === 0 ? <div className="card"><Empty title="No data plane" /></div> : (
          <div className="grid">{planes.map((plane) => <OnePlane key={plane.id} plane={plane} may={may} />)}</div>
        )}
      </Shown>
      <NewPlane opened={opened} onClose={close} />
    </>
  );
}

const ISOLATION: Record<string, string> = {
  full: "full: own files, own processes, own user",
  namespaces: "namespaces: own files and processes, one user for all",
  none: "none: runs can read what the platform can read",
};

function OnePlane({ plane, may }: { plane: Plane; may: boolean }) {
  return (
    <section className="card" aria-label={plane.name}>
      <div className="row spread"><Title order={2} className="wrap">{plane.name}</Title><StatusPill status={plane.status} /></div>
      {plane.isolation === "none" && <div className="notice wait">Runs here are not kept apart from the platform.</div>}
      <PlaneUse plane={plane} />
      <dl className="facts" style={{ marginTop: 16 }}>
        <dt>Kind</dt><dd>{plane.kind}</dd>
        <dt>Isolation</dt><dd>{ISOLATION[plane.isolation] ?? plane.isolation}</dd>
        <dt>Agent</dt><dd>{plane.version === "" ? "none yet" : plane.version}</dd>
        <dt>Last heard</dt><dd>{plane.last_seen_at === null ? "never" : <Ago time={plane.last_seen_at} />}</dd>
      </dl>
      {may && plane.name !== "local" && <Enrolment plane={plane} />}
    </section>
  );
}

function NewPlane({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [name, setName] = useState("");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () => ok(client.POST("/planes", { body: { name } })),
    onSuccess: () => {
      tellDone(`${name} is there; enrol its agent now`);
      setName("");
      onClose();
      void queries.invalidateQueries({ queryKey: ["planes"] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    make.mutate();
  };
  return (
    <Modal opened={opened} onClose={onClose} closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">New data plane</Text>}>
      <form className="stack" onSubmit={submit}>
        <TextInput label="Name" data-autofocus required value={name} maxLength={63} description="Lower-case letters, digits and hyphens." onChange={(event) => setName(event.currentTarget.value)} />
        {make.error !== null && <div className="notice bad" role="alert">{wordsOf(make.error)}</div>}
        <Group justify="flex-end"><Button variant="default" onClick={onClose}>Cancel</Button><Button type="submit" loading={make.isPending} disabled={name === ""}>Add it</Button></Group>
      </form>
    </Modal>
  );
}
