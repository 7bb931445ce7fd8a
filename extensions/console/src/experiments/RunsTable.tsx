// Runs as a table: sorted by its heads, chosen for a comparison, each leading to its own page.
import { Anchor, UnstyledButton } from "@mantine/core";
import { Link } from "react-router";

import type { Experiment } from "../api/views";
import { Ago } from "../parts/Ago";
import { StatusPill } from "../parts/StatusPill";
import { VirtualRows } from "../parts/VirtualRows";
import { duration, figure } from "../parts/format";
import { IconArrowDown, IconArrowUp } from "../parts/icons";
import { useProject } from "../projects/ProjectLayout";
import { keyOf, valueOf, type Column, type Run, type Sort } from "./table";

const ROW = 38; // pixels

interface Props {
  runs: Run[];
  columns: Column[];
  experiments: Experiment[];
  sort: Sort;
  onSort: (sort: Sort) => void;
  picked: string[];
  onPick: (id: string) => void;
}

export function RunsTable({ runs, columns, experiments, sort, onSort, picked, onPick }: Props) {
  const { project } = useProject();
  const head = (by: string, name: string, number = false, first = true) => (
    <th key={by} className={number ? "number" : ""} aria-sort={sort.by !== by ? "none" : sort.up ? "ascending" : "descending"}>
      <UnstyledButton className="sort-head" onClick={() => onSort({ by, up: sort.by === by ? !sort.up : first })}>
        <span className="clip">{name}</span>
        {sort.by === by && (sort.up ? <IconArrowUp size={13} /> : <IconArrowDown size={13} />)}
      </UnstyledButton>
    </th>
  );
  const many = experiments.length > 1;
  return (
    <div className="table-scroll" tabIndex={0} role="region" aria-label="Runs">
      <table className="list runs" aria-rowcount={runs.length + 1}>
        <thead>
          <tr>
            <th className="stays"><span className="visually-hidden">Compare</span></th>
            {head("name", "Run")}
            <th>Status</th>
            {many && <th>Experiment</th>}
            {head("started", "Started", false, false)}
            <th className="number">Took</th>
            {columns.map((column) => head(keyOf(column), column.name, column.kind === "metric", column.kind === "param"))}
            <th>By</th><th>Job</th>
          </tr>
        </thead>
        <VirtualRows count={runs.length} height={ROW}>
          {(index, row) => {
            const run = runs[index];
            return run === undefined ? null : (
            <tr key={run.id} {...row}>
              <td className="stays"><input type="checkbox" aria-label={`Compare ${run.name}`} checked={picked.includes(run.id)} onChange={() => onPick(run.id)} /></td>
              <th scope="row">
                <Anchor component={Link} to={`/projects/${project.id}/experiments/runs/${run.id}`} fw={600} className="run-name">{run.name.slice(0, 120)}</Anchor>
              </th>
              <td><StatusPill status={run.status} /></td>
              {many && <td className="nowrap">{experiments.find((one) => one.id === run.experimentId)?.name.slice(0, 40) ?? run.experimentId}</td>}
              <td>{run.started === null ? "" : <Ago time={new Date(run.started).toISOString()} />}</td>
              <td className="number">{run.started === null || run.finished === null ? "" : duration((run.finished - run.started) / 1000)}</td>
              {columns.map((column) => <Value key={keyOf(column)} run={run} column={column} />)}
              <td className="nowrap">{run.person}</td>
              <td>{run.jobId !== null && <Anchor component={Link} to={`/jobs/${run.jobId}`} inherit>job</Anchor>}</td>
            </tr>
            );
          }}
        </VirtualRows>
      </table>
    </div>
  );
}

function Value({ run, column }: { run: Run; column: Column }) {
  const value = valueOf(run, column);
  if (value === undefined) return <td className="soft">–</td>;
  if (typeof value === "number") return <td className="number" title={String(value)}>{figure(value)}</td>;
  return <td title={value.slice(0, 500)}><span className="clip value">{value.slice(0, 80)}</span></td>;
}
