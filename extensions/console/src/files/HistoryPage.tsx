// The commits of a branch, or those that touched a path.
import { Anchor } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import { itemsOf } from "../api/lists";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { Problem } from "../parts/Problem";
import { useProject } from "../projects/ProjectLayout";
import { commitsList } from "./queries";

export function HistoryPage() {
  const { project } = useProject();
  const [address] = useSearchParams();
  const path = address.get("path");
  const ref = address.get("ref");
  const query = useInfiniteQuery(commitsList(project.id, ref, path));
  const commits = itemsOf(query.data);
  return (
    <div className="stack">
      <p className="soft" style={{ margin: 0 }}>
        Of {ref ?? project.default_branch}{path === null ? "" : <>, what touched <code className="inline">{path}</code></>}
      </p>
      <section className="card flush" aria-label="Commits">
        {query.data === undefined
          ? query.error === null ? <Loading what="the history" /> : <Problem error={query.error} what="The history could not be loaded" again={() => void query.refetch()} />
          : commits.length === 0 ? <Empty title="No commit yet"><p>The first file makes the first commit.</p></Empty> : (
            <table className="list folds">
              <thead><tr><th>Commit</th><th>By</th><th>When</th><th>Id</th></tr></thead>
              <tbody>
                {commits.map((commit) => (
                  <tr key={commit.id}>
                    <th scope="row" className="wrap">
                      <Anchor component={Link} inherit to={`/projects/${project.id}/history/${commit.id}`}>{(commit.message.split("\n")[0] ?? "").slice(0, 200) || "(no message)"}</Anchor>
                    </th>
                    <td data-name="By" className="wrap">{commit.author.name.slice(0, 100)}</td>
                    <td data-name="When"><Ago time={commit.authored_at} /></td>
                    <td data-name="Id"><code>{commit.id.slice(0, 8)}</code></td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        <MoreButton query={query} />
      </section>
    </div>
  );
}
