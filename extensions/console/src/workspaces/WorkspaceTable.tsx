// Workspaces as a table; each leads to its page. On a narrow screen each is a small card.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import type { Workspace } from "../api/views";
import { Ago } from "../parts/Ago";
import { StatusPill } from "../parts/StatusPill";
import { useNow } from "../parts/clock";
import { administers, meQuery } from "../people/queries";
import { WorkspaceActions } from "./WorkspaceActions";
import { endsSoon, live } from "./rules";

interface Props {
  workspaces: Workspace[];
  withProject?: boolean;
  withPerson?: boolean;
}

export function WorkspaceTable({ workspaces, withProject = false, withPerson = false }: Props) {
  const me = useQuery(meQuery).data;
  return (
    <div className="table-scroll">
      <table className="list folds">
        <thead>
          <tr>
            <th>Workspace</th><th>Status</th>{withProject && <th>Project</th>}{withPerson && <th>Of</th>}
            <th>Branch</th><th>Tier</th><th>Last activity</th><th><span className="visually-hidden">What can be done</span></th>
          </tr>
        </thead>
        <tbody>
          {workspaces.map((one) => (
            <tr key={one.id}>
              <th scope="row">
                <Anchor component={Link} to={`/workspaces/${one.id}`} fw={600} className="wrap">{one.title}</Anchor>
                {one.title !== one.name && <div className="soft small wrap">{one.name}</div>}
              </th>
              <td>
                <StatusPill status={one.status} />
                {one.deleted_at === null
                  ? <Said workspace={one} />
                  : one.gone_at !== null && <div className="soft small">its files go <Ago time={one.gone_at} /></div>}
              </td>
              {withProject && <td data-name="Project"><Anchor component={Link} to={`/projects/${one.project_id}`} inherit className="wrap">{one.project}</Anchor></td>}
              {withPerson && <td data-name="Of">{one.owner.name}</td>}
              <td data-name="Branch" className="wrap">{one.branch}</td>
              <td data-name="Tier">{one.tier ?? <span className="soft">the default</span>}</td>
              <td data-name="Last activity">{one.last_activity_at === null ? <span className="soft">none yet</span> : <Ago time={one.last_activity_at} />}</td>
              <td><WorkspaceActions workspace={one} own={one.owner.id === me?.id} admin={administers(me)} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The reason that a workspace stands as it does, and a warning of its end. */
function Said({ workspace }: { workspace: Workspace }) {
  const soon = endsSoon(workspace, useNow());
  return (
    <>
      {workspace.reason !== null && <div className="soft small reason">{workspace.reason}</div>}
      {live(workspace) && workspace.busy !== null && <div className="soft small reason">works: {workspace.busy}</div>}
      {soon !== null && <div className="small reason warned">ends <Ago time={workspace.ends_at ?? ""} /> unless something happens</div>}
    </>
  );
}
