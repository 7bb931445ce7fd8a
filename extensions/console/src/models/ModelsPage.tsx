// The registered models of a project.
import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";

import type { Model } from "../api/views";
import { mlflowPage } from "../experiments/mlflow";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { Shown } from "../parts/Shown";
import { counted } from "../parts/format";
import { useProject } from "../projects/ProjectLayout";
import { Find } from "./Find";
import { modelsQuery } from "./queries";

export function ModelsPage() {
  const { project } = useProject();
  const [text, setText] = useState("");
  return (
    <Shown query={useQuery(modelsQuery(project.id))} what="the models">
      {(models) => models.length === 0 ? (
        <section className="card">
          <Empty title="No model yet">
            <p>A run registers a model with a name; each time again makes a new version of it. Versions keep which job and which commit they come from.</p>
            <pre className="code" tabIndex={0}>{"mlflow.sklearn.log_model(model, name=\"model\",\n                         registered_model_name=\"wine-quality\")"}</pre>
          </Empty>
        </section>
      ) : (
        <div className="stack">
          <div className="row spread">
            <Find text={text} onText={setText} />
            <span className="row"><span className="soft small">{counted(models.length, "model")}</span>
              <Anchor href={mlflowPage(project.id, "/models")} target="_blank" rel="noopener" size="sm">Open in MLflow</Anchor></span>
          </div>
          <section className="card flush" aria-label="Models">
            <Table models={models.filter((model) => model.name.toLowerCase().includes(text.trim().toLowerCase()))} projectId={project.id} />
          </section>
        </div>
      )}
    </Shown>
  );
}

function Table({ models, projectId }: { models: Model[]; projectId: string }) {
  if (models.length === 0) return <Empty title="No model is called like this" />;
  return (
    <div className="table-scroll">
      <table className="list folds">
        <thead><tr><th>Model</th><th>Newest version</th><th>Aliases</th><th>Changed</th></tr></thead>
        <tbody>
          {models.map((model) => (
            <tr key={model.name}>
              <th scope="row">
                <Anchor component={Link} to={`/projects/${projectId}/models/${encodeURIComponent(model.name)}`} fw={600} className="wrap">{model.name}</Anchor>
                {model.description !== "" && <div className="soft small description">{model.description.slice(0, 300)}</div>}
              </th>
              <td data-name="Newest version">{model.latest_version === null ? <span className="soft">none yet</span> : `version ${model.latest_version}`}</td>
              <td data-name="Aliases">
                <span className="row tight">
                  {Object.entries(model.aliases).map(([alias, version]) => <span key={alias} className="tag">{alias.slice(0, 40)}: version {version}</span>)}
                  {Object.keys(model.aliases).length === 0 && <span className="soft">none</span>}
                </span>
              </td>
              <td data-name="Changed"><Ago time={model.updated_at} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
