// Plots over many runs: parallel coordinates and a scatter of two values.
import { MultiSelect, Select } from "@mantine/core";
import { useState } from "react";

import { ParallelChart } from "../charts/ParallelChart";
import { ScatterChart, type Dot } from "../charts/ScatterChart";
import { Empty } from "../parts/Empty";
import { figure } from "../parts/format";
import { columnsOf, isNumeric, keyOf, numberOf, usualColumns, valueOf, type Column, type Run } from "./table";

interface Props {
  runs: Run[];
  view: "parallel" | "scatter";
  onPick: (id: string) => void;
}

const MOST_AXES = 10;

export function RunPlots({ runs, view, onPick }: Props) {
  return view === "parallel" ? <Parallel runs={runs} onPick={onPick} /> : <Scatter runs={runs} onPick={onPick} />;
}

function options(columns: Column[]) {
  const of = (kind: Column["kind"], group: string) => ({ group, items: columns.filter((one) => one.kind === kind).map((one) => ({ value: keyOf(one), label: one.name })) });
  return [of("param", "Parameters"), of("metric", "Metrics")].filter((group) => group.items.length > 0);
}

function known(keys: string[], columns: Column[]): Column[] {
  return keys.flatMap((key) => columns.find((column) => keyOf(column) === key) ?? []);
}

function Parallel({ runs, onPick }: Omit<Props, "view">) {
  const columns = columnsOf(runs);
  const [chosen, setChosen] = useState<string[] | null>(null);
  const axes = chosen === null ? usualColumns(runs, columns) : known(chosen, columns);
  return (
    <div className="stack">
      <MultiSelect label="Axes, in their order" data={options(columns)} value={axes.map(keyOf)} maxValues={MOST_AXES} searchable hidePickedOptions onChange={setChosen} />
      {axes.length < 2 ? <Empty title="Two axes at least"><p>Choose parameters and metrics that the runs have.</p></Empty> : (
        <ParallelChart lines={runs} onPick={onPick} dimensions={axes.map((column) => ({
          key: keyOf(column), name: column.name, values: runs.map((run) => valueOf(run, column) ?? null),
        }))} />
      )}
    </div>
  );
}

function Scatter({ runs, onPick }: Omit<Props, "view">) {
  const columns = columnsOf(runs).filter((column) => isNumeric(runs, column));
  const metrics = columns.filter((column) => column.kind === "metric");
  const spread = (column: Column) => new Set(runs.map((run) => valueOf(run, column))).size;
  const params = columns.filter((column) => column.kind === "param").sort((left, right) => spread(right) - spread(left));
  const [x, setX] = useState<string | null>(null);
  const [y, setY] = useState<string | null>(null);
  const [colour, setColour] = useState<string | null>(null);
  const find = (key: string | null) => columns.find((column) => key !== null && keyOf(column) === key);
  const across = find(x) ?? params[0] ?? metrics[1] ?? metrics[0];
  const up = find(y) ?? metrics[0] ?? params[1] ?? params[0];
  const hue = find(colour);
  if (across === undefined || up === undefined) return <Empty title="No numbers to plot"><p>A plot needs parameters or metrics that are numbers.</p></Empty>;
  const dots = runs.flatMap((run): Dot[] => {
    const [one, other] = [numberOf(run, across), numberOf(run, up)];
    return one === null || other === null ? [] : [{ id: run.id, name: run.name, x: one, y: other, colour: hue === undefined ? null : numberOf(run, hue) }];
  });
  const choice = (label: string, value: Column | undefined, set: (key: string | null) => void, clearable = false) => (
    <Select label={label} data={options(columns)} value={value === undefined ? null : keyOf(value)} onChange={set} searchable allowDeselect={clearable} clearable={clearable}
      placeholder={clearable ? "None" : ""} w={220} clearButtonProps={{ "aria-label": "No colour" }} />
  );
  return (
    <div className="stack">
      <div className="row">{choice("Across", across, setX)}{choice("Up", up, setY)}{choice("Colour", hue, setColour, true)}</div>
      <ScatterChart dots={dots} xName={across.name} yName={up.name} colourName={hue?.name ?? null} write={figure} onPick={onPick} />
      {dots.length < runs.length && <p className="soft small" style={{ margin: 0 }}>{runs.length - dots.length} of the runs have not both values.</p>}
    </div>
  );
}
