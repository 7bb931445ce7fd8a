// Choosing an environment; used wherever something is to run.
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { environmentsQuery } from "./queries";

interface Props {
  value: string | null;
  /** Whose environment counts when none is chosen; without it one has to be. */
  none?: string;
  onChange: (id: string | null) => void;
}

export function EnvironmentSelect({ value, none, onChange }: Props) {
  const environments = useQuery(environmentsQuery).data ?? [];
  const chosen = environments.find((one) => one.id === value);
  return (
    <Select label="Environment" data={environments.map((one) => ({ value: one.id, label: one.name }))}
      value={chosen?.id ?? null} onChange={onChange} allowDeselect={none !== undefined}
      description={chosen === undefined || chosen.status === "Ready" ? undefined : chosen.status}
      {...(none === undefined ? {} : { placeholder: none, clearable: true, clearButtonProps: { "aria-label": `${none} environment` } })} />
  );
}
