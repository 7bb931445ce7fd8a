// One's own tokens: for programs that act in one's place.
import { Anchor, Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { itemsOf } from "../api/lists";
import type { Token } from "../api/views";
import { Ago } from "../parts/Ago";
import { ConfirmButton } from "../parts/ConfirmButton";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { PageHead } from "../parts/PageHead";
import { Problem } from "../parts/Problem";
import { tellDone, tellProblem } from "../parts/tell";
import { useProjects } from "../projects/useProjects";
import { NewTokenDialog } from "./NewTokenDialog";
import { tokensList } from "./queries";

export function TokensPage() {
  const [opened, { open, close }] = useDisclosure(false);
  const query = useInfiniteQuery(tokensList);
  const tokens = itemsOf(query.data);
  const projects = useProjects(tokens.flatMap((token) => (token.project_id === null ? [] : [token.project_id])));
  return (
    <>
      <PageHead title="Tokens" about={<>
        A token lets a program act for you, with at most your rights. Only its hash is kept here. Tokens for the command line and for git are
        made <Anchor href="/hub/token" inherit>on the hub's page</Anchor>.
      </>}>
        <Button onClick={open}>New token</Button>
      </PageHead>
      <section className="card flush" aria-label="Tokens">
        {query.data === undefined
          ? query.error === null ? <Loading what="your tokens" /> : <Problem error={query.error} what="The tokens could not be loaded" again={() => void query.refetch()} />
          : tokens.length === 0 ? <Empty title="No token"><p>Make one for a script, a pipeline or a service of yours.</p></Empty> : (
            <table className="list folds">
              <thead><tr><th>Token</th><th>Project</th><th>Made</th><th>Last used</th><th>Ends</th><th><span className="visually-hidden">Revoke</span></th></tr></thead>
              <tbody>{tokens.map((token) => (
                <Row key={token.id} token={token} project={token.project_id === null ? "all of yours" : projects.get(token.project_id)?.name ?? "its project"} />
              ))}</tbody>
            </table>
          )}
        <MoreButton query={query} />
      </section>
      <NewTokenDialog opened={opened} onClose={close} />
    </>
  );
}

function Row({ token, project }: { token: Token; project: string }) {
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => ok(client.DELETE("/tokens/{id}", { params: { path: { id: token.id } } })),
    onSuccess: () => {
      tellDone(`${token.name} is revoked`);
      void queries.invalidateQueries({ queryKey: ["tokens"] });
    },
    onError: (error) => tellProblem(error, "The token was not revoked"),
  });
  return (
    <tr>
      <th scope="row" className="wrap">{token.name}<div className="soft small">{token.rights.length === 0 ? "no rights" : `${token.rights.length} rights`}</div></th>
      <td data-name="Project">{project}</td>
      <td data-name="Made"><Ago time={token.created_at} /></td>
      <td data-name="Last used">{token.last_used_at === null ? <span className="soft">never</span> : <Ago time={token.last_used_at} />}</td>
      <td data-name="Ends">{token.expires_at === null ? <span className="soft">with what it is for</span> : <Ago time={token.expires_at} />}</td>
      <td className="number">
        <ConfirmButton size="compact-sm" label="Revoke" confirm="Revoke it" question={`Revoke ${token.name.slice(0, 60)}?`} busy={revoke.isPending} onConfirm={() => revoke.mutate()}>
          Programs that use it are refused within half a minute. This cannot be undone.
        </ConfirmButton>
      </td>
    </tr>
  );
}
