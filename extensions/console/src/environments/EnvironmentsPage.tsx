// The environments that work can run in, with their revisions.
import { Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import type { Environment } from "../api/views";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";
import { environmentsQuery, revisionsQuery } from "./queries";

export function EnvironmentsPage() {
  return (
    <>
      <PageHead title="Environments" about="What runs find installed. A revision never changes once it is built." />
      <Shown query={useQuery(environmentsQuery)} what="the environments">
        {(found) => found.length === 0 ? <div className="card"><Empty title="No environment" /></div> : (
          <div className="stack">{found.map((one) => <OneEnvironment key={one.id} environment={one} />)}</div>
        )}
      </Shown>
    </>
  );
}

function OneEnvironment({ environment }: { environment: Environment }) {
  const revisions = useQuery(revisionsQuery(environment.id));
  return (
    <section className="card" aria-label={environment.name}>
      <div className="row spread">
        <Title order={2} className="wrap">{environment.name}</Title>
        <StatusPill status={environment.status} />
      </div>
      {environment.description !== "" && <p className="soft">{environment.description}</p>}
      {environment.reason !== null && <div className="notice wait">{environment.reason}</div>}
      <Shown query={revisions} what="its revisions">
        {(found) => (
          <ul className="plain lines" style={{ marginTop: 14 }}>
            {found.map((revision) => (
              <li key={revision.number}>
                <div className="row spread">
                  <strong>Revision {revision.number}</strong>
                  <span className="row"><StatusPill status={revision.status} /><span className="soft small"><Ago time={revision.created_at} /></span></span>
                </div>
                {revision.reason !== null && <div className="soft small wrap">{revision.reason}</div>}
                {revision.digest !== null && <div className="soft small clip">SHA-256 <code>{revision.digest}</code></div>}
                <details>
                  <summary className="small">Recipe</summary>
                  <pre className="code" tabIndex={0} style={{ maxHeight: 320, marginTop: 8 }}>{JSON.stringify(revision.recipe, null, 2)}</pre>
                </details>
              </li>
            ))}
          </ul>
        )}
      </Shown>
    </section>
  );
}
