// The files that a run logged: folders that open, files that are downloaded.
import { Anchor, Title, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { Problem } from "../parts/Problem";
import { bytes } from "../parts/format";
import { IconFile, IconFolder } from "../parts/icons";
import { useProject } from "../projects/ProjectLayout";
import { artifactAddress, type Artifact } from "./mlflow";
import { artifactsQuery } from "./queries";

const MOST = 500;

export function RunFiles({ runId }: { runId: string }) {
  return (
    <section className="card" aria-label="Files">
      <Title order={2}>Files</Title>
      <Folder runId={runId} path="" />
    </section>
  );
}

function Folder({ runId, path }: { runId: string; path: string }) {
  const { project } = useProject();
  const query = useQuery(artifactsQuery(project.id, runId, path));
  if (query.data === undefined) {
    return query.error === null ? <p className="soft small">Loading …</p> : <Problem error={query.error} what="The files could not be loaded" again={() => void query.refetch()} />;
  }
  if (query.data.length === 0) return <p className="soft small" style={{ margin: 0 }}>{path === "" ? "It logged no files." : "Empty."}</p>;
  return (
    <ul className="plain tree">
      {query.data.slice(0, MOST).map((entry) => <li key={entry.path}>{entry.is_dir ? <Opens runId={runId} entry={entry} /> : <File runId={runId} entry={entry} />}</li>)}
      {query.data.length > MOST && <li className="soft small">and {query.data.length - MOST} more: MLflow&apos;s own page has them all</li>}
    </ul>
  );
}

function nameOf(entry: Artifact): string {
  return entry.path.split("/").at(-1) ?? entry.path;
}

function Opens({ runId, entry }: { runId: string; entry: Artifact }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <UnstyledButton className="row tight tree-row" aria-expanded={open} onClick={() => setOpen(!open)}><IconFolder size={16} /><span className="wrap">{nameOf(entry)}</span></UnstyledButton>
      {open && <Folder runId={runId} path={entry.path} />}
    </>
  );
}

function File({ runId, entry }: { runId: string; entry: Artifact }) {
  return (
    <span className="row tight tree-row">
      <IconFile size={16} />
      <Anchor href={artifactAddress(runId, entry.path)} download inherit className="wrap">{nameOf(entry)}</Anchor>
      {entry.file_size !== undefined && <span className="soft small">{bytes(Number(entry.file_size))}</span>}
    </span>
  );
}
