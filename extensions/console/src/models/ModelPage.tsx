// A registered model: its versions with their aliases, and where each comes from.
import { Anchor, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";

import type { ModelVersion } from "../api/views";
import { mlflowPage } from "../experiments/mlflow";
import { Ago } from "../parts/Ago";
import { CopyLine } from "../parts/CopyLine";
import { Empty } from "../parts/Empty";
import { Shown } from "../parts/Shown";
import { StatusPill } from "../parts/StatusPill";
import { useProject } from "../projects/ProjectLayout";
import { Aliases } from "./Aliases";
import { LineageSteps } from "./LineageSteps";
import { modelQuery, versionsQuery } from "./queries";

export function ModelPage() {
  const { project } = useProject();
  const { model: name = "" } = useParams();
  const model = useQuery(modelQuery(project.id, name));
  const versions = useQuery(versionsQuery(project.id, name));
  return (
    <Shown query={model} what="the model">
      {(found) => (
        <div className="stack">
          <div className="row spread">
            <div>
              <Anchor component={Link} to={`/projects/${project.id}/models`} size="sm">All models</Anchor>
              <Title order={2} className="wrap" style={{ margin: 0 }}>{found.name}</Title>
              {found.description !== "" && <p className="soft wrap" style={{ margin: "4px 0 0" }}>{found.description.slice(0, 1000)}</p>}
            </div>
            <Anchor href={mlflowPage(project.id, `/models/${encodeURIComponent(found.name)}`)} target="_blank" rel="noopener" size="sm">Open in MLflow</Anchor>
          </div>
          <Shown query={versions} what="the versions">
            {(all) => all.length === 0
              ? <section className="card"><Empty title="No version yet"><p>The next run that registers a model of this name makes the first one.</p></Empty></section>
              : <Versions name={found.name} versions={all} />}
          </Shown>
        </div>
      )}
    </Shown>
  );
}

function Versions({ name, versions }: { name: string; versions: ModelVersion[] }) {
  const { rights } = useProject();
  const [chosen, setChosen] = useState<string | null>(null);
  const shown = versions.find((one) => one.version === chosen) ?? versions[0];
  if (shown === undefined) return null;
  const alias = shown.aliases[0];
  return (
    <div className="model-columns">
      <section className="card flush" aria-label="Versions">
        <div className="table-scroll">
          <table className="list folds">
            <thead><tr><th>Version</th><th>Aliases</th><th>Made</th><th>By</th></tr></thead>
            <tbody>
              {versions.slice(0, 500).map((one) => (
                <tr key={one.version} className={one === shown ? "chosen" : ""}>
                  <th scope="row">
                    <button type="button" className="plain-button linkish" aria-pressed={one === shown} onClick={() => setChosen(one.version)}>version {one.version}</button>
                    {one.status !== "READY" && <> <StatusPill status={one.status === "FAILED_REGISTRATION" ? "Failed" : "Pending"} /></>}
                  </th>
                  <td data-name="Aliases"><Aliases name={name} version={one} may={rights.run} /></td>
                  <td data-name="Made"><Ago time={one.created_at} /></td>
                  <td data-name="By" className="wrap">{one.lineage.person ?? <span className="soft">unknown</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <aside className="stack">
        <section className="card" aria-label="Where it comes from">
          <Title order={2}>Where version {shown.version} comes from</Title>
          <LineageSteps lineage={shown.lineage} />
        </section>
        <section className="card" aria-label="Use it">
          <Title order={2}>Use it</Title>
          <CopyLine name="the model's address" text={`models:/${name}${alias === undefined ? `/${shown.version}` : `@${alias}`}`} />
          <p className="soft small" style={{ marginBottom: 0 }}><code className="inline">mlflow.pyfunc.load_model(…)</code> reads it, in a run of this project or with a token. Reading a model may run code that its maker put into it.</p>
        </section>
        {Object.keys(shown.tags).some((tag) => !tag.startsWith("smalti.")) && (
          <section className="card" aria-label="Tags">
            <Title order={2}>Tags</Title>
            <dl className="facts">
              {Object.entries(shown.tags).filter(([tag]) => !tag.startsWith("smalti.")).slice(0, 100).map(([tag, value]) => <div key={tag} className="fact"><dt className="wrap">{tag}</dt><dd>{value.slice(0, 500)}</dd></div>)}
            </dl>
          </section>
        )}
      </aside>
    </div>
  );
}
