// Which parameters and metrics the table of runs shows.
import { Button, Checkbox, Popover, TextInput } from "@mantine/core";
import { useState } from "react";

import { keyOf, type Column } from "./table";

interface Props {
  columns: Column[];
  shown: Column[];
  /** Null goes back to the usual ones. */
  onChange: (keys: string[] | null) => void;
}

const AT_ONCE = 200;

export function ColumnsMenu({ columns, shown, onChange }: Props) {
  const [text, setText] = useState("");
  const keys = shown.map(keyOf);
  const toggle = (key: string) => onChange(keys.includes(key) ? keys.filter((one) => one !== key) : [...keys, key]);
  const found = columns.filter((column) => column.name.toLowerCase().includes(text.trim().toLowerCase()));
  return (
    <Popover position="bottom-end" width={290} shadow="md" trapFocus returnFocus>
      <Popover.Target><Button variant="default">Columns</Button></Popover.Target>
      <Popover.Dropdown>
        <div className="stack" style={{ gap: 10 }}>
          <TextInput size="xs" aria-label="Find a column" placeholder="Find a column" value={text} onChange={(event) => setText(event.currentTarget.value)} />
          <div className="column-list">
            {(["param", "metric"] as const).map((kind) => (
              <fieldset key={kind} className="plain-set">
                <legend className="small soft">{kind === "param" ? "Parameters" : "Metrics"}</legend>
                {found.filter((column) => column.kind === kind).slice(0, AT_ONCE).map((column) => (
                  <Checkbox key={keyOf(column)} size="xs" label={column.name} checked={keys.includes(keyOf(column))} onChange={() => toggle(keyOf(column))} />
                ))}
                {!found.some((column) => column.kind === kind) && <span className="small soft">none</span>}
              </fieldset>
            ))}
          </div>
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => onChange(null)}>The usual ones</Button>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
