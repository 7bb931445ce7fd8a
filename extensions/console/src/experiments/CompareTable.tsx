// Parameters and metrics of runs beside each other; what differs stands out, the best is marked.
import { Anchor, Switch, TextInput, Title } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "react-router";

import { Swatch } from "../charts/Swatch";
import { VirtualRows, type RowProps } from "../parts/VirtualRows";
import { duration, figure } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { columnsOf, environmentName, keyOf, valueOf, type Run } from "./table";

const ROW = 40; // pixels
const MANY = 20; // names that one no longer looks through by eye

interface Line {
  key: string;
  name: string;
  values: (string | number | undefined)[];
}

export function CompareTable({ runs }: { runs: Run[] }) {
  const [differing, setDiffering] = useState(false);
  const [text, setText] = useState("");
  const columns = useMemo(() => columnsOf(runs), [runs]);
  const words = text.trim().toLowerCase();
  const lines = (kind: "param" | "metric") => columns.filter((column) => column.kind === kind && column.name.toLowerCase().includes(words))
    .map((column): Line => ({ key: keyOf(column), name: column.name, values: runs.map((run) => valueOf(run, column)) }));
  const about: Line[] = [
    { key: "took", name: "Took", values: runs.map((run) => (run.started === null || run.finished === null ? undefined : duration((run.finished - run.started) / 1000))) },
    { key: "person", name: "Made by", values: runs.map((run) => run.person ?? undefined) },
    { key: "commit", name: "Code", values: runs.map((run) => run.commit?.slice(0, 8)) },
    { key: "environment", name: "Environment", values: runs.map((run) => (run.environment === null ? undefined : environmentName(run.environment))) },
  ];
  const shown = (all: Line[]) => (differing ? all.filter((line) => new Set(line.values).size > 1) : all);
  const none = words === "" ? "Nothing here differs." : "Nothing here is called like this.";
  return (
    <div className="stack">
      <div className="row">
        <Switch label="Only what differs" checked={differing} onChange={(event) => setDiffering(event.currentTarget.checked)} />
        {columns.length > MANY && <TextInput aria-label="Find a parameter or metric" placeholder="Find a parameter or metric" w={260} maxLength={200} value={text} onChange={(event) => setText(event.currentTarget.value)} />}
      </div>
      <Part title="Parameters" runs={runs} lines={shown(lines("param"))} none={none} />
      <Part title="Metrics, the last values" runs={runs} lines={shown(lines("metric"))} none={none} numbers />
      <Part title="Where they come from" runs={runs} lines={shown(about)} none={none} />
    </div>
  );
}

function Part({ title, runs, lines, none, numbers = false }: { title: string; runs: Run[]; lines: Line[]; none: string; numbers?: boolean }) {
  const { project } = useProject();
  return (
    <section className="card flush" aria-label={title}>
      <Title order={2} className="table-title">{title}</Title>
      {lines.length === 0 ? <p className="soft table-none">{none}</p> : (
        <div className="table-scroll" tabIndex={0} role="region" aria-label={title}>
          <table className="list compared" aria-rowcount={lines.length + 1}>
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
            <VirtualRows count={lines.length} height={ROW}>
              {(index, row) => {
                const line = lines[index];
                return line === undefined ? null : <Row key={line.key} line={line} numbers={numbers} row={row} />;
              }}
            </VirtualRows>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ line, numbers, row }: { line: Line; numbers: boolean; row: RowProps }) {
  const differs = new Set(line.values).size > 1;
  return (
    <tr className={differs ? "differs" : ""} {...row}>
      <th scope="row" className="stays wrap">{line.name}</th>
      {line.values.map((value, index) => (
        <td key={index} className={numbers ? "number" : ""} title={value === undefined ? "" : String(value)}>
          {value === undefined ? <span className="soft">–</span> : typeof value === "number" ? figure(value) : value.slice(0, 120)}
        </td>
      ))}
    </tr>
  );
}
