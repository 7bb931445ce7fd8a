// Which runs: of which experiment, like what, in which status.
import { Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";

import type { Experiment } from "../api/views";
import { IconSearch } from "../parts/icons";
import type { Wanted } from "./address";
import { RUN_STATUSES } from "./table";

interface Props {
  experiments: Experiment[];
  wanted: Wanted;
  onSet: (change: Record<string, string | null>) => void;
}

export function RunFilters({ experiments, wanted, onSet }: Props) {
  const type = useDebouncedCallback((text: string) => onSet({ filter: text.trim() === "" ? null : text }), 400);
  return (
    <div className="row filters" style={{ alignItems: "end" }}>
      <Select label="Experiment" placeholder="All of them" clearable searchable w={210} clearButtonProps={{ "aria-label": "All experiments" }}
        data={experiments.map((one) => ({ value: one.id, label: one.name }))} value={wanted.experiment} onChange={(value) => onSet({ experiment: value })} />
      <Select label="Status" placeholder="Any" clearable w={150} clearButtonProps={{ "aria-label": "Any status" }}
        data={RUN_STATUSES.map(([label, value]) => ({ value, label }))} value={wanted.status} onChange={(value) => onSet({ status: value })} />
      <TextInput className="grow" miw={220} label="Filter" placeholder="a part of the name, or accuracy > 0.9 and depth = 5" defaultValue={wanted.text} maxLength={500}
        leftSection={<IconSearch size={16} />} spellCheck={false} onChange={(event) => type(event.currentTarget.value)} />
    </div>
  );
}
