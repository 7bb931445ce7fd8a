// Editing a file, or writing a new one: each save is one commit with its message. What is typed is
// kept in this browser until it is saved or thrown away.
import { Button, Group, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { useBlocker, useNavigate } from "react-router";

import { raw } from "../api/client";
import { ApiError, wordsOf } from "../api/errors";
import type { FileEntry } from "../api/views";
import { Loading } from "../parts/Loading";
import { Shown } from "../parts/Shown";
import { tellDone } from "../parts/tell";
import { useProject } from "../projects/ProjectLayout";
import { LeaveQuestion } from "./LeaveQuestion";
import { fileAddress } from "./address";
import { draftOf, dropDraft, keepDraft } from "./drafts";
import { contentAddress } from "./queries";

const Editor = lazy(async () => ({ default: (await import("./Editor")).Editor }));

interface Props {
  folder: string;
  suggested: string;
  /** The file that is edited; null for a new one. */
  file: FileEntry | null;
  gitRef: string | null;
  onClose: () => void;
}

export function EditorPage(props: Props) {
  const { project } = useProject();
  const { file, gitRef } = props;
  const query = useQuery({
    queryKey: ["content", "edit", project.id, file?.path ?? "", file?.object ?? ""],
    queryFn: async ({ signal }) =>
      file === null ? "" : (await raw(contentAddress(project.id, file.path, gitRef), { signal })).text(),
    staleTime: Infinity,
    gcTime: 0,
  });
  return <Shown query={query} what="the file">{(text) => <Form {...props} text={text} />}</Shown>;
}

function Form({ folder, suggested, file, gitRef, onClose, text }: Props & { text: string }) {
  const { project } = useProject();
  const branch = gitRef ?? project.default_branch;
  const draftKey = `${project.id}/${branch}/${file?.path ?? `${folder}/`}`;
  const [base] = useState(file);
  const [draft] = useState(() => draftOf(draftKey));
  const [now, setNow] = useState(draft ?? text);
  const [name, setName] = useState(folder === "" ? suggested : `${folder}/${suggested}`);
  const [message, setMessage] = useState("");
  const [saved, setSaved] = useState(false);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const path = file?.path ?? name.trim().replace(/^\/+/, "");
  const changed = now !== text && !saved;
  const blocker = useBlocker(({ currentLocation, nextLocation }) => changed && currentLocation.pathname !== nextLocation.pathname);
  const save = useMutation({
    mutationFn: () => {
      const query = new URLSearchParams({ branch, ...(message.trim() === "" ? {} : { message: message.trim() }) }).toString();
      const guard: Record<string, string> = base === null ? { "If-None-Match": "*" } : { "If-Match": `"${base.object}"` };
      return raw(`${contentAddress(project.id, path, null)}?${query}`, { method: "PUT", body: now, headers: guard });
    },
    onSuccess: async () => {
      setSaved(true);
      dropDraft(draftKey);
      tellDone(`${path} is saved`);
      await queries.invalidateQueries({ queryKey: ["project", project.id, "files"] });
      void navigate(fileAddress(project.id, path, gitRef), { replace: true });
    },
  });
  const type = (value: string) => {
    setNow(value);
    keepDraft(draftKey, value);
  };
  const conflict = save.error instanceof ApiError && save.error.status === 412;
  return (
    <section className="card stack" aria-label={file === null ? "New file" : `Edit ${file.path}`}>
      {file === null && (
        <TextInput label="Path of the file" required value={name} maxLength={1024} placeholder="folder/name.py" onChange={(event) => setName(event.currentTarget.value)} />
      )}
      {draft !== null && draft !== text && (
        <div className="notice wait row spread">
          <span>This is what you had typed before and not saved.</span>
          <Button size="compact-sm" variant="default" onClick={() => { dropDraft(draftKey); setNow(text); }}>Throw it away</Button>
        </div>
      )}
      <Suspense fallback={<Loading what="the editor" />}>
        <Editor name={path} value={now} onChange={type} onSave={() => { if (path !== "") save.mutate(); }} />
      </Suspense>
      <TextInput label="What changes, in a line" placeholder={`Write ${path === "" ? "the file" : path}`} maxLength={2000} value={message} onChange={(event) => setMessage(event.currentTarget.value)} />
      {save.error !== null && (
        <div className="notice bad" role="alert">
          {conflict ? "Somebody else has changed or made this file since you began. What you typed is still here: copy it, look at the newest version, and put it in there." : wordsOf(save.error)}
        </div>
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={() => { dropDraft(draftKey); onClose(); }}>{changed ? "Throw away" : "Close"}</Button>
        <Button loading={save.isPending} disabled={path === "" || (file !== null && !changed)} onClick={() => save.mutate()}>Save to {branch}</Button>
      </Group>
      <LeaveQuestion blocker={blocker} />
    </section>
  );
}
