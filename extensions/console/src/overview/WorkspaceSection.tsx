// One's own workspaces on the first page: those that run, and the last used ones.
import { Anchor, Title } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { itemsOf } from "../api/lists";
import type { Me } from "../api/views";
import { Problem } from "../parts/Problem";
import { WorkspaceTable } from "../workspaces/WorkspaceTable";
import { workspacesList } from "../workspaces/queries";
import { live } from "../workspaces/rules";

const SOME = 4;

export function WorkspaceSection({ me }: { me: Me }) {
  const query = useInfiniteQuery(workspacesList({ person: me.id }));
  const mine = itemsOf(query.data);
  // Those that run come first; of the others the last ones that were used.
  const shown = [...mine.filter(live), ...mine.filter((one) => !live(one)).sort((left, right) => right.updated_at.localeCompare(left.updated_at))].slice(0, Math.max(SOME, mine.filter(live).length));
  if (query.data === undefined && query.error === null) return null;
  return (
    <section className="card flush" aria-label="My workspaces">
      <div className="row spread table-title">
        <Title order={2} style={{ margin: 0 }}>My workspaces</Title>
        <Anchor component={Link} to="/workspaces" size="sm">All of them</Anchor>
      </div>
      {query.data === undefined
        ? <Problem error={query.error} what="The workspaces could not be loaded" again={() => void query.refetch()} />
        : shown.length === 0 ? <p className="soft table-none">You have none yet. <Anchor component={Link} to="/workspaces" inherit>Start one</Anchor> to work in JupyterLab on a project.</p>
          : <WorkspaceTable workspaces={shown} withProject />}
    </section>
  );
}
