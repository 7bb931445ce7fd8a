// One person in the list of people.
import { Button, Group, Menu, Modal, MultiSelect, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { ApiError, wordsOf } from "../api/errors";
import type { components } from "../api/schema";
import type { Person } from "../api/views";
import { Ago } from "../parts/Ago";
import { IconChevronDown } from "../parts/icons";
import { tellProblem } from "../parts/tell";
import { tellWithUndo } from "../parts/tellUndo";
import { OneTimePassword } from "./OneTimePassword";
import { ROLES } from "./rules";

type Change = components["schemas"]["PersonChange"];

export function PersonRow({ person, may, self }: { person: Person; may: boolean; self: boolean }) {
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (body: Change) => ok(client.PATCH("/people/{id}", { params: { path: { id: person.id } }, body })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ["people"] }),
    onError: (error) => tellProblem(error, `${person.name} was not changed`),
  });
  const renew = useMutation({ mutationFn: () => ok(client.POST("/people/{id}/password", { params: { path: { id: person.id } } })) });
  /** Changes something; the note that says so can take it back. */
  const set = (body: Change, before: Change, done: string) => change.mutate(body, { onSuccess: () => tellWithUndo(done, () => change.mutate(before)) });
  const active = person.status === "active";
  return (
    <tr>
      <th scope="row" className="wrap">{person.name}{person.display_name !== person.name && <div className="soft small">{person.display_name}</div>}</th>
      <td data-name="Roles">
        {may ? (
          <MultiSelect size="xs" maw={360} aria-label={`Roles of ${person.name}`} data={ROLES} value={person.roles} disabled={change.isPending || self}
            placeholder={person.roles.length === 0 ? "none" : ""}
            onChange={(roles) => set({ roles }, { roles: person.roles }, `${person.name} is ${roles.length === 0 ? "without a role" : roles.join(", ")} now`)} />
        ) : person.roles.length === 0 ? <span className="soft">none</span> : person.roles.join(", ")}
      </td>
      <td data-name="Since"><Ago time={person.created_at} /></td>
      {may && (
        <td className="number">
          {self ? <span className="soft small">you</span> : (
            <Menu position="bottom-end">
              <Menu.Target><Button size="compact-sm" variant="default" loading={change.isPending || renew.isPending} aria-label={`What to do with ${person.name}`} rightSection={<IconChevronDown size={12} />}>Change</Button></Menu.Target>
              <Menu.Dropdown>
                {active
                  ? <Menu.Item onClick={() => set({ status: "deactivated" }, { status: "active" }, `${person.name} is refused everywhere within half a minute; what is theirs stays`)}>Deactivate</Menu.Item>
                  : <Menu.Item onClick={() => set({ status: "active" }, { status: "deactivated" }, `${person.name} may come in again`)}>Let in again</Menu.Item>}
                <Menu.Item onClick={() => renew.mutate()}>New one-time password …</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          )}
          <Renewed person={person} told={renew} onClose={() => renew.reset()} />
        </td>
      )}
    </tr>
  );
}

interface Told {
  data: { password: string } | undefined;
  error: Error | null;
}

function Renewed({ person, told, onClose }: { person: Person; told: Told; onClose: () => void }) {
  const used = told.error instanceof ApiError && told.error.code === "account_used";
  return (
    <Modal opened={told.data !== undefined || told.error !== null} onClose={onClose} closeOnClickOutside={told.data === undefined} closeButtonProps={{ "aria-label": "Close" }}
      title={<Text fw={650} component="span">A one-time password for {person.name.slice(0, 60)}</Text>}>
      <div className="stack">
        {told.data !== undefined && <OneTimePassword name={person.name} password={told.data.password} />}
        {used && <p style={{ margin: 0 }}>{person.name.slice(0, 60)} has logged in already. Such a password is given on the hub&apos;s own page, by those who administer the hub: it lets whoever has it into the account.</p>}
        {told.error !== null && !used && <div className="notice bad" role="alert">{wordsOf(told.error)}</div>}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>{told.data === undefined ? "Close" : "I have noted it"}</Button>
          {used && <Button component="a" href={`/hub/change-password/${encodeURIComponent(person.name)}`}>To the hub&apos;s page</Button>}
        </Group>
      </div>
    </Modal>
  );
}
