// The files of a snapshot: folders that open, files that are downloaded.
import { Anchor, Modal, Text, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { API } from "../api/client";
import type { FileEntry, Snapshot } from "../api/views";
import { Problem } from "../parts/Problem";
import { bytes, exact } from "../parts/format";
import { IconFile, IconFolder } from "../parts/icons";
import { snapshotFilesQuery } from "./queries";

interface Place {
  workspaceId: string;
  number: number;
}

export function SnapshotFiles({ workspaceId, snapshot, onClose }: { workspaceId: string; snapshot: Snapshot; onClose: () => void }) {
  return (
    <Modal opened onClose={onClose} size="lg" closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">Files of snapshot {snapshot.number}</Text>}>
      <p className="soft small" style={{ marginTop: 0 }}>As they were on {exact(snapshot.taken_at)}.</p>
      <Folder workspaceId={workspaceId} number={snapshot.number} path="" />
    </Modal>
  );
}

function Folder({ workspaceId, number, path }: Place & { path: string }) {
  const query = useQuery(snapshotFilesQuery(workspaceId, number, path));
  if (query.data === undefined) {
    return query.error === null ? <p className="soft small">Loading …</p> : <Problem error={query.error} what="The files could not be loaded" again={() => void query.refetch()} />;
  }
  if (query.data.length === 0) return <p className="soft small">Empty.</p>;
  return (
    <ul className="plain tree">
      {query.data.map((entry) => (
        <li key={entry.path}>{entry.type === "directory" ? <Opens workspaceId={workspaceId} number={number} entry={entry} /> : <File workspaceId={workspaceId} number={number} entry={entry} />}</li>
      ))}
    </ul>
  );
}

function Opens({ entry, ...place }: Place & { entry: FileEntry }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <UnstyledButton className="row tight tree-row" aria-expanded={open} onClick={() => setOpen(!open)}><IconFolder size={16} /><span className="wrap">{entry.name}</span></UnstyledButton>
      {open && <Folder {...place} path={entry.path} />}
    </>
  );
}

function File({ entry, workspaceId, number }: Place & { entry: FileEntry }) {
  const path = entry.path.split("/").map(encodeURIComponent).join("/");
  return (
    <span className="row tight tree-row">
      <IconFile size={16} />
      <Anchor href={`${API}/workspaces/${encodeURIComponent(workspaceId)}/snapshots/${number}/content/${path}`} download inherit className="wrap">{entry.name}</Anchor>
      {entry.size !== null && <span className="soft small nowrap">{bytes(entry.size)}</span>}
    </span>
  );
}
