// The saved states of a workspace's files: seen, put back, opened beside, run as a job.
import { Button, Menu, Title } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useNavigate } from "react-router";

import { client, ok } from "../api/client";
import { itemsOf } from "../api/lists";
import type { Snapshot, Workspace } from "../api/views";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { Problem } from "../parts/Problem";
import { bytes, counted } from "../parts/format";
import { IconChevronDown } from "../parts/icons";
import { tellDone, tellProblem } from "../parts/tell";
import { BranchDialog } from "./BranchDialog";
import { RestoreDialog } from "./RestoreDialog";
import { SnapshotFiles } from "./SnapshotFiles";
import { snapshotsList } from "./queries";

interface Open {
  what: "files" | "restore" | "branch";
  snapshot: Snapshot;
}

export function Snapshots({ workspace }: { workspace: Workspace }) {
  const [open, setOpen] = useState<Open | null>(null);
  const running = workspace.status === "Running";
  const query = useInfiniteQuery({ ...snapshotsList(workspace.id, running), enabled: workspace.starts > 0 });
  const snapshots = itemsOf(query.data);
  const queries = useQueryClient();
  const take = useMutation({
    mutationFn: () => ok(client.POST("/workspaces/{id}/snapshots", { params: { path: { id: workspace.id } } })),
    onSuccess: (now) => {
      tellDone(`All is safe: snapshot ${now.number}`);
      void queries.invalidateQueries({ queryKey: ["workspace", workspace.id, "snapshots"] });
    },
    onError: (error) => tellProblem(error, "The files were not saved just now"),
  });
  const none = workspace.starts === 0 || snapshots.length === 0;
  return (
    <section className="card flush" aria-label="Snapshots">
      <div className="row spread table-title">
        <Title order={2} style={{ margin: 0 }}>Snapshots</Title>
        {running && <Button variant="default" size="compact-sm" loading={take.isPending} onClick={() => take.mutate()}>Save now</Button>}
      </div>
      {workspace.starts > 0 && query.data === undefined
        ? query.error === null ? <Loading what="the snapshots" /> : <Problem error={query.error} what="The snapshots could not be loaded" again={() => void query.refetch()} />
        : none ? <Empty title="No snapshot yet"><p>While it runs, its files are saved as they change, committed or not. Only you see them.</p></Empty> : (
          <>
            {snapshots[0] !== undefined && snapshots[0].unsafe.length > 0 && <Unsafe snapshot={snapshots[0]} />}
            <div className="table-scroll">
              <table className="list folds">
                <thead><tr><th>Snapshot</th><th>Taken</th><th>Holds</th><th>Upon commit</th><th><span className="visually-hidden">What can be done</span></th></tr></thead>
                <tbody>{snapshots.map((one) => <Row key={one.number} snapshot={one} workspace={workspace} onOpen={(what) => setOpen({ what, snapshot: one })} />)}</tbody>
              </table>
            </div>
            <MoreButton query={query} />
          </>
        )}
      {open?.what === "files" && <SnapshotFiles workspaceId={workspace.id} snapshot={open.snapshot} onClose={() => setOpen(null)} />}
      {open?.what === "restore" && <RestoreDialog workspace={workspace} snapshot={open.snapshot} onClose={() => setOpen(null)} />}
      {open?.what === "branch" && <BranchDialog workspace={workspace} snapshot={open.snapshot} onClose={() => setOpen(null)} />}
    </section>
  );
}

function Row({ snapshot, workspace, onOpen }: { snapshot: Snapshot; workspace: Workspace; onOpen: (what: Open["what"]) => void }) {
  const navigate = useNavigate();
  const run = `/projects/${workspace.project_id}?run&workspace=${workspace.id}&snapshot=${snapshot.number}`;
  return (
    <tr>
      <th scope="row"><button type="button" className="plain-button linkish" onClick={() => onOpen("files")}>{snapshot.number}</button></th>
      <td data-name="Taken"><Ago time={snapshot.taken_at} /></td>
      <td data-name="Holds" className="nowrap">{counted(snapshot.files, "file")}, {bytes(snapshot.size)}</td>
      <td data-name="Upon commit">{snapshot.parent == null ? <span className="soft">none</span> : <code>{snapshot.parent.slice(0, 8)}</code>}{snapshot.changed ? " and changes" : ""}</td>
      <td className="number">
        <Menu position="bottom-end">
          <Menu.Target><Button variant="default" size="compact-sm" aria-label={`What to do with snapshot ${snapshot.number}`} rightSection={<IconChevronDown size={12} />}>Use</Button></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => onOpen("files")}>Look at its files</Menu.Item>
            <Menu.Item onClick={() => onOpen("restore")}>Put it back into the workspace …</Menu.Item>
            <Menu.Item onClick={() => onOpen("branch")}>Make a branch of it …</Menu.Item>
            <Menu.Item onClick={() => void navigate(run)}>Run it as a job …</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </td>
    </tr>
  );
}

function Unsafe({ snapshot }: { snapshot: Snapshot }) {
  return (
    <details className="notice wait" style={{ margin: "0 20px 14px" }}>
      <summary>{snapshot.unsafe.length === 1 ? "One thing is" : `${snapshot.unsafe.length} things are`} not in the newest snapshot</summary>
      <ul>{snapshot.unsafe.slice(0, 200).map((one) => <li key={one} className="wrap">{one}</li>)}</ul>
    </details>
  );
}
