// The runs of a project's experiments: a table to filter, sort and choose from, or plots of them.
import { Anchor, Button, SegmentedControl } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { Problem } from "../parts/Problem";
import { counted } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { ColumnsMenu } from "./ColumnsMenu";
import { RunFilters } from "./RunFilters";
import { RunPlots } from "./RunPlots";
import { RunsTable } from "./RunsTable";
import { wantedIn, addressWith } from "./address";
import { chosenColumns, keepColumns } from "./chosen";
import { mlflowPage } from "./mlflow";
import { experimentsQuery, runsList } from "./queries";
import { columnsOf, filterOf, inOrder, keyOf, usualColumns, type Column } from "./table";

const MOST_COMPARED = 20;

export function ExperimentsPage() {
  const { project } = useProject();
  const [address, setAddress] = useSearchParams();
  const experiments = useQuery(experimentsQuery(project.id));
  const [picked, setPicked] = useState<string[]>([]);
  const [columns, setColumns] = useState<string[] | null>(() => chosenColumns(project.id));
  const [known, setKnown] = useState<Column[]>([]);
  const navigate = useNavigate();
  const wanted = wantedIn(address);
  const all = experiments.data ?? [];
  const ids = wanted.experiment === null ? all.map((one) => one.id) : [wanted.experiment];
  const query = useInfiniteQuery(runsList(project.id, { experiments: ids, filter: filterOf(wanted.text, known, wanted.status), sort: wanted.sort }));
  const loaded = useMemo(() => query.data?.pages.flatMap((page) => page.runs) ?? [], [query.data]);
  const runs = query.hasNextPage ? loaded : inOrder(loaded, wanted.sort);
  const here = useMemo(() => columnsOf(loaded), [loaded]);
  // Names that were once seen stay known, so that a filter that leaves nothing is still understood.
  const names = new Set(known.map(keyOf));
  const unknown = here.filter((column) => !names.has(keyOf(column)));
  if (unknown.length > 0) setKnown([...known, ...unknown]);
  const usual = useMemo(() => usualColumns(loaded, here), [loaded, here]);
  const shown = columns === null ? usual : known.filter((column) => columns.includes(`${column.kind}:${column.name}`));
  const set = (change: Record<string, string | null>) => setAddress(addressWith(address, change), { replace: true });
  if (experiments.data === undefined) {
    return experiments.error === null ? <Loading what="the experiments" />
      : <Problem error={experiments.error} what="The experiments could not be loaded" again={() => void experiments.refetch()} />;
  }
  const filtered = wanted.text !== "" || wanted.status !== null;
  const none = all.length === 0 || (query.data !== undefined && loaded.length === 0 && !filtered);
  const place = wanted.experiment === null ? "/experiments" : `/experiments/${wanted.experiment}`;
  return (
    <div className="stack">
      {!none && <RunFilters experiments={all} wanted={wanted} onSet={set} />}
      {!none && (
        <div className="row spread">
          <div className="row">
            <SegmentedControl size="sm" aria-label="How the runs are shown" value={wanted.view} onChange={(value) => set({ view: value === "table" ? null : value })}
              data={[{ value: "table", label: "Table" }, { value: "parallel", label: "Parallel" }, { value: "scatter", label: "Scatter" }]} />
            <span className="soft small" role="status">{query.data === undefined ? "" : `${counted(loaded.length, "run")}${query.hasNextPage ? ", and more" : ""}`}</span>
          </div>
          <div className="row">
            <Anchor href={mlflowPage(project.id, place)} target="_blank" rel="noopener" size="sm">Open in MLflow</Anchor>
            {wanted.view === "table" && <ColumnsMenu columns={known} shown={shown} onChange={(keys) => { setColumns(keys); keepColumns(project.id, keys); }} />}
            <Button variant="default" disabled={picked.length < 2} onClick={() => void navigate(`compare?runs=${picked.join(",")}`)}>
              {picked.length < 2 ? "Choose runs to compare" : `Compare ${picked.length} runs`}
            </Button>
          </div>
        </div>
      )}
      {none ? (
        <section className="card"><NoRuns /></section>
      ) : query.data === undefined ? (
        <section className="card">{query.error === null ? <Loading what="the runs" /> : <Problem error={query.error} what="The runs could not be loaded" again={() => void query.refetch()} />}</section>
      ) : loaded.length === 0 ? (
        <section className="card"><Empty title="No run is like this"><p>Words look for a part of a run's name; <code className="inline">accuracy &gt; 0.9 and depth = 5</code> looks at values.</p></Empty></section>
      ) : wanted.view === "table" ? (
        <section className="card flush" aria-label="Runs" aria-busy={query.isFetching}>
          <RunsTable runs={runs} columns={shown} sort={wanted.sort} onSort={(sort) => set({ sort: `${sort.up ? "" : "-"}${sort.by}` })} experiments={all}
            picked={picked} onPick={(id) => setPicked(picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id].slice(-MOST_COMPARED))} />
          <MoreButton query={query} />
        </section>
      ) : (
        <section className="card" aria-label="Plot" aria-busy={query.isFetching}>
          <RunPlots runs={runs} view={wanted.view} onPick={(id) => void navigate(`runs/${id}`)} />
          <MoreButton query={query} />
        </section>
      )}
    </div>
  );
}

function NoRuns() {
  return (
    <Empty title="No run yet">
      <p>
        A job that logs with <code className="inline">mlflow</code> shows here: nothing has to be set up. Its parameters, its metrics over time and its models are
        kept, with the job and the commit that they come from.
      </p>
      <pre className="code" tabIndex={0}>{"import mlflow\n\nwith mlflow.start_run():\n    mlflow.log_param(\"trees\", 200)\n    mlflow.log_metric(\"accuracy\", 0.97)"}</pre>
    </Empty>
  );
}
