// Who is in a project, and as what.
import { Button, Select, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Member, ProjectRole } from "../api/views";
import { Ago } from "../parts/Ago";
import { ConfirmButton } from "../parts/ConfirmButton";
import { Shown } from "../parts/Shown";
import { tellDone, tellProblem } from "../parts/tell";
import { useProject } from "./ProjectLayout";
import { membersQuery } from "./queries";

const ROLES: { value: ProjectRole; label: string }[] = [
  { value: "owner", label: "owner: everything" },
  { value: "contributor", label: "contributor: files and jobs" },
  { value: "consumer", label: "consumer: results only" },
  { value: "launcher", label: "launcher: runs what is prepared" },
];

export function MembersPage() {
  const { project, rights } = useProject();
  return (
    <div className="stack">
      {rights.edit && <Add />}
      <section className="card flush" aria-label="Members">
        <Shown query={useQuery(membersQuery(project.id))} what="the members">
          {(members) => (
            <table className="list folds">
              <thead><tr><th>Person</th><th>Role</th><th>Member since</th>{rights.edit && <th><span className="visually-hidden">Change</span></th>}</tr></thead>
              <tbody>{members.map((member) => <Row key={member.person.id} member={member} last={members.length === 1} />)}</tbody>
            </table>
          )}
        </Shown>
      </section>
    </div>
  );
}

function Row({ member, last }: { member: Member; last: boolean }) {
  const { project, rights } = useProject();
  const queries = useQueryClient();
  const path = { id: project.id, person_id: member.person.id };
  const after = () => void queries.invalidateQueries({ queryKey: ["project", project.id] });
  const change = useMutation({
    mutationFn: (role: ProjectRole) => ok(client.PUT("/projects/{id}/members/{person_id}", { params: { path }, body: { role } })),
    onSuccess: (now) => { tellDone(`${now.person.name} is ${now.role} now`); after(); },
    onError: (error) => tellProblem(error, "The role was not changed"),
  });
  const remove = useMutation({
    mutationFn: () => ok(client.DELETE("/projects/{id}/members/{person_id}", { params: { path } })),
    onSuccess: () => { tellDone(`${member.person.name} is no member any more`); after(); },
    onError: (error) => tellProblem(error, "The member was not removed"),
  });
  return (
    <tr>
      <th scope="row" className="wrap">{member.person.name}</th>
      <td data-name="Role">
        {rights.edit ? (
          <Select aria-label={`Role of ${member.person.name}`} size="xs" w={240} data={ROLES} value={member.role} allowDeselect={false}
            disabled={change.isPending} onChange={(value) => { if (value !== null && value !== member.role) change.mutate(value); }} />
        ) : member.role}
      </td>
      <td data-name="Since"><Ago time={member.added_at} /></td>
      {rights.edit && (
        <td className="number">
          {!last && (
            <ConfirmButton size="compact-sm" label="Remove" confirm="Remove" question={`Remove ${member.person.name}?`} busy={remove.isPending} onConfirm={() => remove.mutate()}>
              They lose what their role here lets them see and do, within half a minute. Their jobs stay.
            </ConfirmButton>
          )}
        </td>
      )}
    </tr>
  );
}

function Add() {
  const { project } = useProject();
  const [person, setPerson] = useState("");
  const [role, setRole] = useState<ProjectRole>("contributor");
  const queries = useQueryClient();
  const add = useMutation({
    mutationFn: () => ok(client.POST("/projects/{id}/members", { params: { path: { id: project.id } }, body: { person: person.trim(), role } })),
    onSuccess: (made) => {
      tellDone(`${made.person.name} is a member now`);
      setPerson("");
      void queries.invalidateQueries({ queryKey: ["project", project.id] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (person.trim() !== "") add.mutate();
  };
  return (
    <form onSubmit={submit} className="card">
      <div className="row" style={{ alignItems: "end" }}>
        <TextInput label="Name of a person" value={person} maxLength={255} onChange={(event) => setPerson(event.currentTarget.value)} />
        <Select label="Role" data={ROLES} value={role} allowDeselect={false} w={260} onChange={(value) => { if (value !== null) setRole(value); }} />
        <Button type="submit" loading={add.isPending} disabled={person.trim() === ""}>Add</Button>
      </div>
      {add.error !== null && <div className="notice bad" role="alert" style={{ marginTop: 12 }}>{wordsOf(add.error)}</div>}
    </form>
  );
}
