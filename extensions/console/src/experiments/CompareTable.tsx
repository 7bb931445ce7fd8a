// Parameters and metrics of runs beside each other; what differs stands out, the best is marked.
import { Anchor, Switch, Title } from "@mantine/core";
import { useState } from "react";
import { Link } from "react-router";

import { Swatch } from "../charts/Swatch";
import { duration, figure } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { columnsOf, environmentName, keyOf, valueOf, type Run } from "./table";

interface Line {
  key: string;
  name: string;
  values: (string | number | undefined)[];
}

export function CompareTable({ runs }: { runs: Run[] }) {
  const [differing, setDiffering] = useState(false);
  const lines = (kind: "param" | "metric") => columnsOf(runs).filter((column) => column.kind === kind)
    .map((column): Line => ({ key: keyOf(column), name: column.name, values: runs.map((run) => valueOf(run, column)) }));
  const about: Line[] = [
    { key: "took", name: "Took", values: runs.map((run) => (run.started === null || run.finished === null ? undefined : duration((run.finished - run.started) / 1000))) },
    { key: "person", name: "Made by", values: runs.map((run) => run.person ?? undefined) },
    { key: "commit", name: "Code", values: runs.map((run) => run.commit?.slice(0, 8)) },
    { key: "environment", name: "Environment", values: runs.map((run) => (run.environment === null ? undefined : environmentName(run.environment))) },
  ];
  const shown = (all: Line[]) => (differing ? all.filter((line) => new Set(line.values).size > 1) : all);
  return (
    <div className="stack">
      <Switch label="Only what differs" checked={differing} onChange={(event) => setDiffering(event.currentTarget.checked)} />
      <Part title="Parameters" runs={runs} lines={shown(lines("param"))} />
      <Part title="Metrics, the last values" runs={runs} lines={shown(lines("metric"))} numbers />
      <Part title="Where they come from" runs={runs} lines={shown(about)} />
    </div>
  );
}

function Part({ title, runs, lines, numbers = false }: { title: string; runs: Run[]; lines: Line[]; numbers?: boolean }) {
  const { project } = useProject();
  return (
    <section className="card flush" aria-label={title}>
      <Title order={2} className="table-title">{title}</Title>
      {lines.length === 0 ? <p className="soft table-none">Nothing here differs.</p> : (
        <div className="table-scroll" tabIndex={0} role="region" aria-label={title}>
          <table className="list compared">
            <thead>
              <tr>
                <th className="stays">Name</th>
                {runs.map((run, index) => (
                  <th key={run.id} className={numbers ? "number" : ""}>
                    <span className="row tight nowrap-row"><Swatch index={index} />
                      <Anchor component={Link} inherit className="run-name" to={`/projects/${project.id}/experiments/runs/${run.id}`}>{run.name.slice(0, 60)}</Anchor></span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {lines.slice(0, 1000).map((line) => <Row key={line.key} line={line} numbers={numbers} />)}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ line, numbers }: { line: Line; numbers: boolean }) {
  const differs = new Set(line.values).size > 1;
  return (
    <tr className={differs ? "differs" : ""}>
      <th scope="row" className="stays wrap">{line.name}</th>
      {line.values.map((value, index) => (
        <td key={index} className={numbers ? "number" : ""} title={value === undefined ? "" : String(value)}>
          {value === undefined ? <span className="soft">–</span> : typeof value === "number" ? figure(value) : value.slice(0, 120)}
        </td>
      ))}
    </tr>
  );
}
