// What a workspace was made of.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";

import type { Workspace } from "../api/views";
import { environmentsQuery } from "../environments/queries";
import { Ago } from "../parts/Ago";

const TOOLS: Record<string, string> = { jupyterlab: "JupyterLab" };

export function WorkspaceFacts({ workspace }: { workspace: Workspace }) {
  const environment = useQuery(environmentsQuery).data?.find((one) => one.id === workspace.environment_id);
  const facts: [string, ReactNode][] = [
    ["Name", workspace.name],
    ["Of", workspace.owner.name],
    ["Project", <Anchor key="p" component={Link} inherit to={`/projects/${workspace.project_id}`}>{workspace.project}</Anchor>],
    ["Tool", TOOLS[workspace.tool] ?? workspace.tool],
    ["Environment", `${environment?.name ?? "…"}, ${workspace.revision === null ? "the newest revision" : `revision ${workspace.revision}`}`],
    ["Hardware tier", workspace.tier ?? "the project's"],
    ["Begun from", workspace.branch],
    ["Starts", workspace.starts.toLocaleString("en")],
    ["Last start", workspace.started_at === null ? "never" : <Ago key="s" time={workspace.started_at} />],
    ["Made", <Ago key="m" time={workspace.created_at} />],
  ];
  return (
    <section className="card" aria-label="Details">
      <Title order={2}>Details</Title>
      <dl className="facts">
        {facts.map(([name, value]) => <div key={name} className="fact"><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </section>
  );
}
