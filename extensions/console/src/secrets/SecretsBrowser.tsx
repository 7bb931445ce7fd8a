// Secrets by name: kept anew, given a new value, deleted; and which runs were given them.
import { Button } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { client, ok } from "../api/client";
import { itemsOf } from "../api/lists";
import type { Secret } from "../api/views";
import { Ago } from "../parts/Ago";
import { ConfirmButton } from "../parts/ConfirmButton";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { Problem } from "../parts/Problem";
import { tellDone, tellProblem } from "../parts/tell";
import { SecretDialog } from "./SecretDialog";
import { UsedBy } from "./UsedBy";
import { secretsList } from "./queries";

interface Props {
  /** Null: the reader's own. */
  projectId: string | null;
  may: boolean;
}

export function SecretsBrowser({ projectId, may }: Props) {
  const [open, setOpen] = useState<Secret | "new" | null>(null);
  const query = useInfiniteQuery(secretsList(projectId));
  const secrets = itemsOf(query.data);
  return (
    <div className="stack">
      <div className="row spread">
        <span className="soft small">
          {projectId === null ? "Of two with the same name yours counts, not the project's." : "Every run of the project has them as variables of these names. A person's own secret of the same name counts more."}
        </span>
        {may && <Button onClick={() => setOpen("new")}>New secret</Button>}
      </div>
      <section className="card flush" aria-label="Secrets" aria-busy={query.isFetching}>
        {query.data === undefined
          ? query.error === null ? <Loading what="the secrets" /> : <Problem error={query.error} what="The secrets could not be loaded" again={() => void query.refetch()} />
          : secrets.length === 0 ? <None own={projectId === null} may={may} onNew={() => setOpen("new")} /> : (
            <div className="table-scroll">
              <table className="list folds">
                <thead><tr><th>Name</th><th>Value</th><th>Set</th><th>Last used</th><th>Used by</th>{may && <th><span className="visually-hidden">Change</span></th>}</tr></thead>
                <tbody>{secrets.map((secret) => <Row key={secret.id} secret={secret} may={may} onReplace={() => setOpen(secret)} />)}</tbody>
              </table>
            </div>
          )}
        <MoreButton query={query} />
      </section>
      <SecretDialog secret={open} projectId={projectId} onClose={() => setOpen(null)} />
    </div>
  );
}

function None({ own, may, onNew }: { own: boolean; may: boolean; onNew: () => void }) {
  return (
    <Empty title={own ? "You have no secret yet" : "The project has no secret yet"}>
      <p>A password or a key that runs need, such as <code className="inline">DB_PASSWORD</code>: they find it as a variable, and its value is hidden in their logs.</p>
      {may ? <Button onClick={onNew}>Keep the first one</Button> : <p>Owners of the project keep them.</p>}
    </Empty>
  );
}

function Row({ secret, may, onReplace }: { secret: Secret; may: boolean; onReplace: () => void }) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () => ok(client.DELETE("/secrets/{id}", { params: { path: { id: secret.id } } })),
    onSuccess: () => {
      tellDone(`${secret.name} is deleted`);
      void queries.invalidateQueries({ queryKey: ["secrets"] });
    },
    onError: (error) => tellProblem(error, `${secret.name} was not deleted`),
  });
  return (
    <tr>
      <th scope="row" className="wrap"><code>{secret.name}</code></th>
      <td data-name="Value" className="soft"><span aria-hidden="true">••••••</span><span className="visually-hidden">not shown</span></td>
      <td data-name="Set"><Ago time={secret.updated_at} /> <span className="soft small wrap">by {secret.updated_by.name}</span></td>
      <td data-name="Last used">{secret.last_used_at === null ? <span className="soft">never</span> : <Ago time={secret.last_used_at} />}</td>
      <td data-name="Used by"><UsedBy uses={secret.used_by} /></td>
      {may && (
        <td>
          <div className="row tight nowrap-row">
            <Button size="compact-sm" variant="default" aria-label={`Replace the value of ${secret.name}`} onClick={onReplace}>Replace</Button>
            <ConfirmButton size="compact-sm" label="Delete" confirm="Delete it" question={`Delete ${secret.name}?`} busy={remove.isPending} onConfirm={() => remove.mutate()}>
              Later runs do not have it any more; those that run keep it. Its value cannot be had back.
              {secret.used_by.length > 0 && " Runs have used it."}
            </ConfirmButton>
          </div>
        </td>
      )}
    </tr>
  );
}
