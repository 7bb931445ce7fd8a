// The first page of a project: its README, and how to get its files.
import { Anchor, Button, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { contentAddress, filesQuery } from "../files/queries";
import { CopyLine } from "../parts/CopyLine";
import { Empty } from "../parts/Empty";
import { Shown } from "../parts/Shown";
import { Preview } from "../viewers/Preview";
import { useProject } from "./ProjectLayout";

export function ReadmePage() {
  const { project, rights } = useProject();
  return (
    <div className="job-columns">
      <section className="card" aria-label="README">
        {rights.files ? <Readme /> : <Empty title="Its files are not shown to you"><p>{rights.outputs ? "Your role here sees results: the jobs and what they left." : "You see what runs and who is a member, not what people have written."}</p></Empty>}
      </section>
      <aside className="stack">
        {rights.files && (
          <section className="card" aria-label="Clone">
            <Title order={2}>On your own machine</Title>
            <CopyLine name="the clone command" text={`git clone ${project.clone_url}`} />
            <p className="soft small" style={{ marginBottom: 0 }}>
              Your name and a <Anchor component={Link} to="/tokens" inherit>token</Anchor> as the password.
            </p>
          </section>
        )}
        <section className="card" aria-label="Details">
          <Title order={2}>Details</Title>
          <dl className="facts">
            <dt>Owner</dt><dd>{project.owner.name}</dd>
            <dt>Branch</dt><dd>{project.default_branch}</dd>
            <dt>Hardware tier</dt><dd>{project.default_tier ?? "the platform's default"}</dd>
            <dt>Your role</dt><dd>{project.role ?? "none"}</dd>
          </dl>
        </section>
      </aside>
    </div>
  );
}

function Readme() {
  const { project, rights } = useProject();
  const folder = useQuery(filesQuery(project.id, null, ""));
  return (
    <Shown query={folder} what="the files">
      {({ items, commit }) => {
        const found = items.find((item) => item.type === "file" && /^readme(\.md|\.markdown|\.txt)?$/i.test(item.name));
        if (found === undefined) {
          return (
            <Empty title={commit === null ? "An empty project" : "No README"}>
              <p>{commit === null ? "It has no file yet. Write one here, or push with git." : "A file called README.md in its upper folder shows here."}</p>
              {rights.write && <Button component={Link} variant="default" to={`/projects/${project.id}/files/?new=README.md`}>Write a README</Button>}
            </Empty>
          );
        }
        return <Preview address={contentAddress(project.id, found.path, commit)} name={found.name} size={found.size ?? 0} version={found.object}
          beside={(path) => contentAddress(project.id, path.replace(/^\.\//, ""), commit)} />;
      }}
    </Shown>
  );
}
