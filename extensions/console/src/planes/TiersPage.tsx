// The amounts of hardware that work may ask for by name.
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { client, ok } from "../api/client";
import type { Tier } from "../api/views";
import { ConfirmButton } from "../parts/ConfirmButton";
import { Empty } from "../parts/Empty";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { bytes, cost, cpus } from "../parts/format";
import { tellDone, tellProblem } from "../parts/tell";
import { administers, meQuery } from "../people/queries";
import { TierDialog } from "./TierDialog";
import { tiersQuery } from "./queries";

export function TiersPage() {
  const [edited, setEdited] = useState<Tier | "new" | null>(null);
  const may = administers(useQuery(meQuery).data);
  return (
    <>
      <PageHead title="Hardware tiers" about="What a run gets: CPUs, memory and where. Running work keeps what it has when a tier changes.">
        {may && <Button onClick={() => setEdited("new")}>New tier</Button>}
      </PageHead>
      <section className="card flush" aria-label="Hardware tiers">
        <Shown query={useQuery(tiersQuery)} what="the hardware tiers">
          {(tiers) => tiers.length === 0 ? <Empty title="No tier" /> : (
            <div className="table-scroll">
              <table className="list folds">
                <thead><tr><th>Tier</th><th>CPU</th><th>Memory</th><th>GPU</th><th>Data plane</th><th>Price per hour</th><th>At once</th>{may && <th><span className="visually-hidden">Change</span></th>}</tr></thead>
                <tbody>{tiers.map((tier) => <Row key={tier.id} tier={tier} may={may} onEdit={() => setEdited(tier)} />)}</tbody>
              </table>
            </div>
          )}
        </Shown>
      </section>
      <TierDialog tier={edited} onClose={() => setEdited(null)} />
    </>
  );
}

function Row({ tier, may, onEdit }: { tier: Tier; may: boolean; onEdit: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => ok(client.DELETE("/hardware-tiers/{id}", { params: { path: { id: tier.id } } })),
    onSuccess: () => {
      tellDone(`${tier.name} is taken away`);
      void queries.invalidateQueries({ queryKey: ["tiers"] });
    },
    onError: (error) => tellProblem(error, "The tier stays"),
  });
  return (
    <tr>
      <th scope="row">{tier.name} {tier.default && <span className="tag">default</span>}{tier.description !== "" && <div className="soft small wrap">{tier.description}</div>}</th>
      <td data-name="CPU">{cpus(tier.cpu)}</td>
      <td data-name="Memory">{bytes(tier.memory)}</td>
      <td data-name="GPU">{tier.gpu}</td>
      <td data-name="Data plane">{tier.plane}</td>
      <td data-name="Price per hour">{cost(tier.price_per_hour)}</td>
      <td data-name="At once">{tier.max_running ?? "no limit"}</td>
      {may && (
        <td className="number">
          <span className="row tight" style={{ justifyContent: "flex-end" }}>
            <Button size="compact-sm" variant="default" onClick={onEdit} aria-label={`Change ${tier.name}`}>Change</Button>
            <ConfirmButton size="compact-sm" label="Take away" confirm="Take it away" question={`Take ${tier.name} away?`} busy={remove.isPending} onConfirm={() => remove.mutate()}>
              No new work can ask for it. What runs goes on.
            </ConfirmButton>
          </span>
        </td>
      )}
    </tr>
  );
}
