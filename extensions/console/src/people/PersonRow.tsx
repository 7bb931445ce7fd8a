// One person in the list of people.
import { Button, MultiSelect } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import type { components } from "../api/schema";
import type { Person, PlatformRole } from "../api/views";
import { Ago } from "../parts/Ago";
import { ConfirmButton } from "../parts/ConfirmButton";
import { tellDone, tellProblem } from "../parts/tell";

type Change = components["schemas"]["PersonChange"];

const ROLES: PlatformRole[] = ["admin", "support", "librarian", "practitioner", "lite"];

export function PersonRow({ person, may, self }: { person: Person; may: boolean; self: boolean }) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (body: Change) => ok(client.PATCH("/people/{id}", { params: { path: { id: person.id } }, body })),
    onSuccess: () => {
      tellDone(`${person.name} is changed`);
      void queries.invalidateQueries({ queryKey: ["people"] });
    },
    onError: (error) => tellProblem(error, `${person.name} was not changed`),
  });
  return (
    <tr>
      <th scope="row" className="wrap">{person.name}{person.display_name !== person.name && <div className="soft small">{person.display_name}</div>}</th>
      <td data-name="Roles">
        {may ? (
          <MultiSelect size="xs" maw={360} aria-label={`Roles of ${person.name}`} data={ROLES} value={person.roles} disabled={change.isPending || self}
            onChange={(value) => change.mutate({ roles: value })} />
        ) : person.roles.join(", ")}
      </td>
      <td data-name="Since"><Ago time={person.created_at} /></td>
      <td className="number">
        {may && !self && (person.status === "active" ? (
          <ConfirmButton size="compact-sm" label="Deactivate" confirm="Deactivate" question={`Deactivate ${person.name.slice(0, 60)}?`} busy={change.isPending}
            onConfirm={() => change.mutate({ status: "deactivated" })}>
            They are refused everywhere within half a minute, their tokens too. What is theirs stays. You can let them in again.
          </ConfirmButton>
        ) : <Button size="compact-sm" variant="default" loading={change.isPending} onClick={() => change.mutate({ status: "active" })}>Let in again</Button>)}
      </td>
    </tr>
  );
}
