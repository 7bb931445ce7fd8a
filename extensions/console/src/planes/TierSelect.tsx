// Choosing a hardware tier; used wherever something is to run.
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";

import { bytes, cpus } from "../parts/format";
import { tiersQuery } from "./queries";

interface Props {
  value: string | null;
  /** Whose tier counts when none is chosen; without it one has to be. */
  none?: string;
  onChange: (name: string | null) => void;
}

export function TierSelect({ value, none, onChange }: Props) {
  const tiers = useQuery(tiersQuery).data ?? [];
  const sizes = tiers.map((one) => ({ value: one.name, label: `${one.name}: ${cpus(one.cpu)}, ${bytes(one.memory)}${one.gpu > 0 ? `, ${one.gpu} GPU` : ""}` }));
  return (
    <Select label="Hardware tier" data={sizes} value={value} onChange={onChange} allowDeselect={none !== undefined}
      {...(none === undefined ? {} : { placeholder: none, clearable: true, clearButtonProps: { "aria-label": `${none} hardware tier` } })} />
  );
}
