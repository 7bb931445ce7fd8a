// A workspace: where it stands and why, when it would be ended, its snapshots, its settings.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";

import type { Workspace } from "../api/views";
import { Ago } from "../parts/Ago";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";
import { administers, meQuery } from "../people/queries";
import { EndCard } from "./EndCard";
import { Snapshots } from "./Snapshots";
import { StartCard } from "./StartCard";
import { WorkspaceActions } from "./WorkspaceActions";
import { WorkspaceFacts } from "./WorkspaceFacts";
import { WorkspaceSettings } from "./WorkspaceSettings";
import { workspaceQuery } from "./queries";
import { starting } from "./rules";

export function WorkspacePage() {
  const { workspaceId = "" } = useParams();
  return (
    <Shown query={useQuery(workspaceQuery(workspaceId))} what="the workspace">
      {(workspace) => <View key={workspace.id} workspace={workspace} />}
    </Shown>
  );
}

function View({ workspace }: { workspace: Workspace }) {
  const me = useQuery(meQuery).data;
  const own = workspace.owner.id === me?.id;
  return (
    <>
      <PageHead title={workspace.title} about={
        <span className="row tight">
          <StatusPill status={workspace.status} />
          {workspace.reason !== null && <span aria-live="polite">{workspace.reason}</span>}
          <Anchor component={Link} to={`/projects/${workspace.project_id}/workspaces`} inherit className="wrap">{workspace.project}</Anchor>
        </span>
      }>
        <WorkspaceActions workspace={workspace} own={own} admin={administers(me)} size="sm" />
      </PageHead>
      {workspace.deleted_at !== null && (
        <div className="notice wait spaced" role="status">
          It was deleted <Ago time={workspace.deleted_at} />.
          {workspace.gone_at !== null && <> Its files go <Ago time={workspace.gone_at} />; until then it can be had back with them.</>}
        </div>
      )}
      {workspace.status === "Failed" && <div className="notice bad spaced" role="status"><strong>The last start failed</strong>{workspace.reason === null ? "." : `: ${workspace.reason}`}</div>}
      <div className="job-columns">
        <div className="stack">
          {starting(workspace) && <StartCard workspace={workspace} />}
          {workspace.status === "Running" && <EndCard workspace={workspace} own={own} />}
          {own && <Snapshots workspace={workspace} />}
          {own && workspace.deleted_at === null && <WorkspaceSettings workspace={workspace} />}
        </div>
        <aside className="stack"><WorkspaceFacts workspace={workspace} /></aside>
      </div>
    </>
  );
}
