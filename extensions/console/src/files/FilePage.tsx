// One file: shown, edited, run, removed.
import { Button, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearchParams } from "react-router";

import { raw } from "../api/client";
import type { FileEntry } from "../api/views";
import { ConfirmButton } from "../parts/ConfirmButton";
import { bytes } from "../parts/format";
import { tellDone, tellProblem } from "../parts/tell";
import { useProject } from "../projects/ProjectLayout";
import { Preview } from "../viewers/Preview";
import { wayOf } from "../viewers/kinds";
import { EditorPage } from "./EditorPage";
import { fileAddress } from "./address";
import { contentAddress } from "./queries";

const EDITABLE = 2 << 20;
const RUNNABLE = /\.(py|ipynb|sh|R)$/;

export function FilePage({ entry, commit, gitRef }: { entry: FileEntry; commit: string | null; gitRef: string | null }) {
  const { project, rights } = useProject();
  const [address, setAddress] = useSearchParams();
  const folder = entry.path.includes("/") ? entry.path.slice(0, entry.path.lastIndexOf("/")) : "";
  const kind = wayOf(entry.name)?.kind;
  const editable = rights.write && entry.type === "file" && (entry.size ?? 0) <= EDITABLE && kind !== undefined && kind !== "image";
  if (editable && address.has("edit")) {
    return <EditorPage key={entry.path} folder={folder} suggested={entry.name} file={entry} gitRef={gitRef} onClose={() => {
      const next = new URLSearchParams(address);
      next.delete("edit");
      setAddress(next);
    }} />;
  }
  const base = folder === "" ? "" : `${folder}/`;
  const content = contentAddress(project.id, entry.path, commit);
  return (
    <section className="card stack" aria-label="File">
      <div className="row spread">
        <Text className="soft small" component="span">{bytes(entry.size ?? 0)}{entry.type === "symlink" ? ", a link: its target is shown" : ""}</Text>
        <div className="row">
          <Button size="xs" variant="default" component="a" href={content} download={entry.name}>Download</Button>
          {rights.run && RUNNABLE.test(entry.name) && (
            <Button size="xs" variant="default" component={Link} to={`?${new URLSearchParams({ run: "", file: entry.path }).toString()}`}>Run it</Button>
          )}
          {rights.write && <Remove entry={entry} gitRef={gitRef} folder={folder} />}
          {editable && <Button size="xs" component={Link} to={fileAddress(project.id, entry.path, gitRef, { edit: "" })}>Edit</Button>}
        </div>
      </div>
      <Preview key={entry.object} address={content} name={entry.name} size={entry.size ?? 0} version={entry.object}
        beside={(path) => contentAddress(project.id, base + path.replace(/^\.\//, ""), commit)} />
    </section>
  );
}

function Remove({ entry, gitRef, folder }: { entry: FileEntry; gitRef: string | null; folder: string }) {
  const { project } = useProject();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => {
      const branch = new URLSearchParams({ branch: gitRef ?? project.default_branch }).toString();
      return raw(`${contentAddress(project.id, entry.path, null)}?${branch}`, { method: "DELETE", headers: { "If-Match": `"${entry.object}"` } });
    },
    onSuccess: () => {
      tellDone(`${entry.name} is removed; its history keeps it`);
      void navigate(fileAddress(project.id, folder, gitRef));
      void queries.invalidateQueries({ queryKey: ["project", project.id, "files"] });
    },
    onError: (error) => tellProblem(error, "The file was not removed"),
  });
  return (
    <ConfirmButton size="xs" label="Remove" confirm="Remove" question={`Remove ${entry.name.slice(0, 80)}?`} busy={remove.isPending} onConfirm={() => remove.mutate()}>
      This makes a commit without the file. What it was stays in the history.
    </ConfirmButton>
  );
}
