// Making or changing a hardware tier.
import { Button, Checkbox, Group, Modal, NumberInput, Select, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Tier } from "../api/views";
import { tellDone } from "../parts/tell";
import { planesQuery } from "./queries";

const GIB = 2 ** 30;

export function TierDialog({ tier, onClose }: { tier: Tier | "new" | null; onClose: () => void }) {
  const title = tier === "new" || tier === null ? "New hardware tier" : `Change ${tier.name}`;
  return (
    <Modal opened={tier !== null} onClose={onClose} closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">{title}</Text>}>
      {tier !== null && <Form tier={tier === "new" ? null : tier} onDone={onClose} />}
    </Modal>
  );
}

function Form({ tier, onDone }: { tier: Tier | null; onDone: () => void }) {
  const [name, setName] = useState(tier?.name ?? "");
  const [description, setDescription] = useState(tier?.description ?? "");
  const [cpu, setCpu] = useState<number | string>(tier?.cpu ?? 1);
  const [memory, setMemory] = useState<number | string>(tier === null ? 2 : Number((tier.memory / GIB).toFixed(3)));
  const [gpu, setGpu] = useState<number | string>(tier?.gpu ?? 0);
  const [price, setPrice] = useState<number | string>(tier?.price_per_hour ?? 0);
  const [most, setMost] = useState<number | string>(tier?.max_running ?? "");
  const [plane, setPlane] = useState(tier?.plane ?? "local");
  const [isDefault, setDefault] = useState(tier?.default ?? false);
  const planes = useQuery(planesQuery).data ?? [];
  const queries = useQueryClient();
  const save = useMutation({
    mutationFn: () => {
      const body = {
        description, cpu: Number(cpu), memory: Math.round(Number(memory) * GIB), gpu: Number(gpu),
        price_per_hour: Number(price), max_running: most === "" ? null : Number(most), default: isDefault,
      };
      return tier === null
        ? ok(client.POST("/hardware-tiers", { body: { ...body, name, plane } }))
        : ok(client.PATCH("/hardware-tiers/{id}", { params: { path: { id: tier.id } }, body }));
    },
    onSuccess: (now) => {
      tellDone(`${now.name} is saved`);
      onDone();
      void queries.invalidateQueries({ queryKey: ["tiers"] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      {tier === null && <TextInput label="Name" required data-autofocus value={name} maxLength={63} onChange={(event) => setName(event.currentTarget.value)} />}
      <TextInput label="Description" value={description} maxLength={500} onChange={(event) => setDescription(event.currentTarget.value)} />
      <Group grow>
        <NumberInput label="CPUs" min={0.1} max={4096} step={0.5} value={cpu} onChange={setCpu} required />
        <NumberInput label="Memory in GiB" min={0.016} step={0.5} value={memory} onChange={setMemory} required />
        <NumberInput label="GPUs" min={0} max={64} value={gpu} onChange={setGpu} />
      </Group>
      <Group grow>
        <NumberInput label="Price per hour" min={0} step={0.1} value={price} onChange={setPrice} />
        <NumberInput label="At once" placeholder="no limit" min={1} value={most} onChange={setMost} />
      </Group>
      {tier === null && <Select label="Data plane" data={[...new Set([plane, ...planes.map((one) => one.name)])]} value={plane} allowDeselect={false} onChange={(value) => setPlane(value ?? "local")} />}
      <Checkbox label="The tier of work that names none" checked={isDefault} onChange={(event) => setDefault(event.currentTarget.checked)} />
      {save.error !== null && <div className="notice bad" role="alert">{wordsOf(save.error)}</div>}
      <Group justify="flex-end"><Button variant="default" onClick={onDone}>Cancel</Button><Button type="submit" loading={save.isPending}>Save</Button></Group>
    </form>
  );
}
