// How the platform is, and each thing that it depends on.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { PREFIX, raw } from "../api/client";
import type { Health } from "../api/views";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";

export function HealthPage() {
  const query = useQuery({
    queryKey: ["health"],
    queryFn: async ({ signal }) => (await (await raw(`${PREFIX}/health`, { signal })).json()) as Health,
    refetchInterval: 5000,
  });
  return (
    <>
      <PageHead title="Health" about={<>
        What the platform depends on, asked every few seconds. Metrics for Prometheus: <Anchor href={`${PREFIX}/metrics`} inherit>{PREFIX}/metrics</Anchor>.
      </>} />
      <Shown query={query} what="the health">
        {(health) => (
          <div className="stack">
            <div className="card tiled row spread">
              <div><h2 style={{ margin: 0 }}>Smalti {health.version}</h2><p className="soft" style={{ margin: "4px 0 0" }}>{words(health)}</p></div>
              <StatusPill status={health.status} />
            </div>
            <section className="card flush" aria-label="Dependencies">
              <table className="list folds">
                <thead><tr><th>Dependency</th><th>Status</th><th>What it says</th><th>Needed</th></tr></thead>
                <tbody>
                  {health.dependencies.map((one) => (
                    <tr key={one.name}>
                      <th scope="row" className="wrap">{one.name}</th>
                      <td><StatusPill status={one.status} /></td>
                      <td data-name="Says" className="wrap">{one.detail}</td>
                      <td data-name="Needed">{one.required ? "always" : "for a part"}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          </div>
        )}
      </Shown>
    </>
  );
}

function words(health: Health): string {
  if (health.status === "ok") return "All is well.";
  if (health.status === "degraded") return "It works, but something that it uses is not well.";
  return "Something that it cannot do without is away.";
}
