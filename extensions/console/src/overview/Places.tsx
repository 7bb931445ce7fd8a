// Where work runs, and how full it is there.
import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { PlaneUse } from "../planes/PlaneUse";
import { planesQuery } from "../planes/queries";
import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";

export function Places() {
  const planes = useQuery(planesQuery);
  return (
    <section className="card" aria-label="Data planes">
      <Title order={2}>Where work runs</Title>
      <Shown query={planes} what="the data planes">
        {(found) => found.length === 0 ? <p className="soft">No data plane is known: jobs wait until one is.</p> : (
          <ul className="plain lines">
            {found.map((plane) => (
              <li key={plane.id}>
                <div className="row spread"><strong>{plane.name}</strong><StatusPill status={plane.status} /></div>
                <PlaneUse plane={plane} />
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </section>
  );
}
