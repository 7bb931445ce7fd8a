// A list of workspaces with its filters; used for all projects, for one, and for the platform.
import { Button, SegmentedControl, Select } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useSearchParams } from "react-router";

import { itemsOf } from "../api/lists";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { Problem } from "../parts/Problem";
import { meQuery } from "../people/queries";
import { WorkspaceTable } from "./WorkspaceTable";
import { workspacesList, type WorkspaceFilter } from "./queries";
import { WORKSPACE_STATUSES } from "./rules";

interface Props {
  projectId?: string;
  /** Whose are shown at first. */
  whose?: "mine" | "all";
  onNew?: () => void;
  children?: ReactNode;
}

const WHOSE = ["mine", "all", "deleted"] as const;

export function WorkspacesBrowser({ projectId, whose: first = "mine", onNew, children }: Props) {
  const [address, setAddress] = useSearchParams();
  const asked = useQuery(meQuery);
  const me = asked.data;
  const whose = WHOSE.find((one) => one === address.get("whose")) ?? first;
  const status = WORKSPACE_STATUSES.find((one) => one === address.get("status"));
  const filter: WorkspaceFilter = {
    ...(projectId === undefined ? {} : { project_id: projectId }),
    ...(whose === "all" || me === undefined ? {} : { person: me.id }),
    ...(whose === "deleted" ? { deleted: true } : {}),
    ...(status === undefined ? {} : { status }),
  };
  const query = useInfiniteQuery({ ...workspacesList(filter), enabled: me !== undefined });
  const error = query.error ?? (me === undefined ? asked.error : null);
  const again = () => void (me === undefined ? asked : query).refetch();
  const found = itemsOf(query.data);
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(address);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setAddress(next, { replace: true });
  };
  return (
    <div className="stack">
      <div className="row spread" style={{ alignItems: "end" }}>
        <div className="row" style={{ alignItems: "end" }}>
          <SegmentedControl aria-label="Which workspaces" value={whose} onChange={(value) => set("whose", value === first ? "" : value)}
            data={[{ value: "mine", label: "Mine" }, { value: "all", label: "Everybody's" }, { value: "deleted", label: "Deleted" }]} />
          <Select aria-label="Status" placeholder="Any status" clearable data={WORKSPACE_STATUSES} w={160} clearButtonProps={{ "aria-label": "Any status" }}
            value={status ?? null} onChange={(value) => set("status", value ?? "")} />
        </div>
        {children}
      </div>
      <section className="card flush" aria-label="Workspaces" aria-busy={query.isFetching}>
        {query.data === undefined
          ? error === null ? <Loading what="the workspaces" /> : <Problem error={error} what="The workspaces could not be loaded" again={again} />
          : found.length === 0 ? <None whose={whose} filtered={status !== undefined} onNew={onNew} />
            : <WorkspaceTable workspaces={found} withProject={projectId === undefined} withPerson={whose === "all"} />}
        <MoreButton query={query} />
      </section>
    </div>
  );
}

function None({ whose, filtered, onNew }: { whose: (typeof WHOSE)[number]; filtered: boolean; onNew: (() => void) | undefined }) {
  if (filtered) return <Empty title="No workspace is like this"><p>Another status may find one.</p></Empty>;
  if (whose === "deleted") return <Empty title="Nothing was deleted"><p>A deleted workspace stands here for some weeks and can be had back with its files.</p></Empty>;
  return (
    <Empty title={whose === "mine" ? "You have no workspace yet" : "No workspace yet"}>
      <p>A workspace is JupyterLab on a project: notebooks, terminals and git, in a folder that stays.</p>
      {onNew !== undefined && <Button onClick={onNew}>Start {whose === "mine" ? "your first one" : "one"}</Button>}
    </Empty>
  );
}
