// The people of the platform: roles, and who may come in.
import { Anchor, Button, SegmentedControl, TextInput } from "@mantine/core";
import { useDebouncedCallback, useDisclosure } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { itemsOf } from "../api/lists";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { PageHead } from "../parts/PageHead";
import { Problem } from "../parts/Problem";
import { NewPersonDialog } from "./NewPersonDialog";
import { PersonRow } from "./PersonRow";
import { administers, meQuery, peopleList } from "./queries";

export function PeoplePage() {
  const [status, setStatus] = useState<"active" | "deactivated">("active");
  const [name, setName] = useState("");
  const [opened, { open, close }] = useDisclosure(false);
  const me = useQuery(meQuery).data;
  const query = useInfiniteQuery(peopleList({ status, ...(name === "" ? {} : { name }) }));
  const people = itemsOf(query.data);
  const search = useDebouncedCallback((text: string) => setName(text.trim()), 300);
  const may = administers(me);
  return (
    <>
      <PageHead title="People" about="Who may come in, and as what. An account is made with a one-time password; what somebody may do in a project is for its owners to say.">
        {may && <Button onClick={open}>Add a person</Button>}
      </PageHead>
      <div className="stack">
        <div className="row">
          <SegmentedControl value={status} onChange={(value) => setStatus(value === "deactivated" ? "deactivated" : "active")} aria-label="Which people"
            data={[{ value: "active", label: "Active" }, { value: "deactivated", label: "Deactivated" }]} />
          <TextInput aria-label="Exact name" placeholder="Exact name" maxLength={255} onChange={(event) => search(event.currentTarget.value)} />
        </div>
        <section className="card flush" aria-label="People" aria-busy={query.isFetching}>
          {query.data === undefined
            ? query.error === null ? <Loading what="the people" /> : <Problem error={query.error} what="The people could not be loaded" again={() => void query.refetch()} />
            : people.length === 0 ? <Empty title="Nobody"><p>{name === "" ? "There is nobody like this." : "Nobody has exactly this name."}</p></Empty> : (
              <table className="list folds">
                <thead><tr><th>Person</th><th>Roles</th><th>Here since</th>{may && <th><span className="visually-hidden">Change</span></th>}</tr></thead>
                <tbody>{people.map((person) => <PersonRow key={person.id} person={person} may={may} self={person.id === me?.id} />)}</tbody>
              </table>
            )}
          <MoreButton query={query} />
        </section>
        {may && <p className="soft small">Names, removal and servers are JupyterHub&apos;s: <Anchor href="/hub/admin" inherit>the hub&apos;s page of accounts</Anchor>, for those who administer the hub.</p>}
      </div>
      <NewPersonDialog opened={opened} onClose={close} />
    </>
  );
}
