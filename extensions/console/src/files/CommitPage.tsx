// One commit and what it changed.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";

import { Ago } from "../parts/Ago";
import { Shown } from "../parts/Shown";
import { useProject } from "../projects/ProjectLayout";
import { ChangedFiles } from "./ChangedFiles";
import { DiffView } from "./DiffView";
import { fileAddress } from "./address";
import { commitQuery } from "./queries";

export function CommitPage() {
  const { project } = useProject();
  const { commit = "" } = useParams();
  return (
    <Shown query={useQuery(commitQuery(project.id, commit))} what="the commit">
      {(found) => {
        const [first = "", ...rest] = found.message.split("\n");
        return (
          <div className="stack">
            <section className="card" aria-label="Commit">
              <Title order={2} className="wrap">{first.slice(0, 500) || "(no message)"}</Title>
              {rest.join("\n").trim() !== "" && <pre className="code wraps" tabIndex={0}>{rest.join("\n").trim()}</pre>}
              <p className="soft small wrap">
                {found.author.name.slice(0, 100)}, <Ago time={found.authored_at} />, <code>{found.id}</code>
              </p>
              <p className="small" style={{ marginBottom: 0 }}>
                <Anchor component={Link} inherit to={fileAddress(project.id, "", found.id)}>The files at this commit</Anchor>
              </p>
            </section>
            <ChangedFiles files={found.files} />
            <DiffView patch={found.patch} cut={found.cut} />
          </div>
        );
      }}
    </Shown>
  );
}
