// The files of a project at a branch: folders, and one file with its viewer and editor.
import { Button, Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";

import { ApiError } from "../api/errors";
import { Loading } from "../parts/Loading";
import { Problem } from "../parts/Problem";
import { useProject } from "../projects/ProjectLayout";
import { EditorPage } from "./EditorPage";
import { FilePage } from "./FilePage";
import { FolderTable } from "./FolderTable";
import { PathLine } from "./PathLine";
import { branchesQuery, filesQuery } from "./queries";

export function FilesPage() {
  const { project, rights } = useProject();
  const path = (useParams()["*"] ?? "").replace(/\/$/, "");
  const [address, setAddress] = useSearchParams();
  const ref = address.get("ref");
  const fresh = address.get("new");
  const set = (name: string, value: string | null) => {
    const next = new URLSearchParams(address);
    if (value === null) next.delete(name);
    else next.set(name, value);
    setAddress(next);
  };
  if (fresh !== null) {
    return <EditorPage key="new" folder={path} suggested={fresh} file={null} gitRef={ref} onClose={() => set("new", null)} />;
  }
  return (
    <div className="stack">
      <div className="row spread">
        <PathLine projectId={project.id} name={project.name} path={path} gitRef={ref} />
        <div className="row">
          <Branches gitRef={ref} onChoose={(name) => set("ref", name)} />
          <Button variant="default" component={Link} to={`/projects/${project.id}/history?${history(ref, path)}`}>History</Button>
          {rights.write && <Button variant="default" onClick={() => set("new", "")}>New file</Button>}
        </div>
      </div>
      <Here path={path} gitRef={ref} />
    </div>
  );
}

/** What is at the path: a folder, else a file of the folder above. */
function Here({ path, gitRef }: { path: string; gitRef: string | null }) {
  const { project } = useProject();
  const parent = path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
  const above = useQuery({ ...filesQuery(project.id, gitRef, parent), enabled: path !== "" });
  const entry = above.data?.items.find((item) => item.path === path);
  const isFolder = path === "" || entry?.type === "directory";
  const folder = useQuery({ ...filesQuery(project.id, gitRef, path), enabled: isFolder });
  if (path !== "" && above.data !== undefined && entry === undefined) {
    return <div className="card"><Problem error={new ApiError(404, "not_found", "There is no such file in this version.")} /></div>;
  }
  if (entry !== undefined && entry.type !== "directory") {
    return <FilePage entry={entry} commit={above.data?.commit ?? null} gitRef={gitRef} />;
  }
  const error = above.error ?? folder.error;
  if (folder.data !== undefined) return <FolderTable folder={folder.data} gitRef={gitRef} />;
  if (error !== null) return <div className="card"><Problem error={error} what="The files could not be loaded" again={() => void folder.refetch()} /></div>;
  return <div className="card"><Loading what="the files" /></div>;
}

function Branches({ gitRef, onChoose }: { gitRef: string | null; onChoose: (name: string | null) => void }) {
  const { project } = useProject();
  const branches = useQuery(branchesQuery(project.id)).data ?? [];
  const shown = gitRef ?? project.default_branch;
  return (
    <Select aria-label="Branch" w={190} data={[...new Set([shown, ...branches.map((one) => one.name)])]} value={shown} allowDeselect={false}
      searchable={branches.length > 10} onChange={(value) => onChoose(value === project.default_branch ? null : value)} />
  );
}

function history(ref: string | null, path: string): string {
  return new URLSearchParams({ ...(ref === null ? {} : { ref }), ...(path === "" ? {} : { path }) }).toString();
}
