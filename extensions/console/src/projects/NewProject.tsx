// Making a project: empty, from an example, or imported.
import { Button, Group, Modal, Radio, SegmentedControl, Select, Text, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type SubmitEvent } from "react";
import { useNavigate } from "react-router";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import { tellDone } from "../parts/tell";
import { wrongInName } from "./rules";

type Beginning = "empty" | "example" | "import";

interface Props {
  opened: boolean;
  /** The example to begin from, as the address has it; null or empty for none. */
  example: string | null;
  onClose: () => void;
}

export function NewProject({ opened, example, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} size="lg" closeButtonProps={{ "aria-label": "Close" }}
      title={<Text fw={650} component="span">New project</Text>}>
      {opened && <Form example={example ?? ""} onDone={onClose} />}
    </Modal>
  );
}

function Form({ example, onDone }: { example: string; onDone: () => void }) {
  const [beginning, setBeginning] = useState<Beginning>(example === "" ? "empty" : "example");
  const [name, setName] = useState(example === "wine-quality" ? "wine" : "");
  const [description, setDescription] = useState("");
  const [visibility, setVisibility] = useState<"private" | "internal">("private");
  const [chosen, setChosen] = useState(example);
  const [url, setUrl] = useState("");
  const [touched, setTouched] = useState(false);
  const examples = useQuery({
    queryKey: ["examples"],
    queryFn: ({ signal }) => ok(client.GET("/project-examples", { signal })),
    staleTime: Infinity,
  });
  const first = examples.data?.items[0]?.name;
  useEffect(() => {
    if (chosen === "" && first !== undefined) setChosen(first);
  }, [chosen, first]);
  const queries = useQueryClient();
  const navigate = useNavigate();
  const make = useMutation({
    mutationFn: () => ok(client.POST("/projects", {
      body: {
        name, description, visibility,
        ...(beginning === "example" ? { example: chosen } : {}),
        ...(beginning === "import" ? { import_url: url } : {}),
      },
    })),
    onSuccess: (made) => {
      queries.setQueryData(["project", made.id], made);
      void queries.invalidateQueries({ queryKey: ["projects"] });
      tellDone(made.status === "importing" ? `${made.name} is being imported` : `${made.name} is made`);
      onDone();
      void navigate(`/projects/${made.id}`);
    },
  });
  const wrong = touched ? wrongInName(name) : null;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setTouched(true);
    if (wrongInName(name) === null) make.mutate();
  };
  const about = examples.data?.items.find((one) => one.name === chosen)?.description;
  return (
    <form onSubmit={submit} className="stack" noValidate>
      <SegmentedControl fullWidth value={beginning} onChange={(value) => setBeginning(value)} aria-label="How it begins"
        data={[{ value: "empty", label: "Empty" }, { value: "example", label: "From an example" }, { value: "import", label: "Import" }]} />
      {beginning === "example" && (
        <Select label="Example" data={examples.data?.items.map((one) => one.name) ?? []} value={chosen} allowDeselect={false}
          onChange={(value) => setChosen(value ?? "")} description={about} inputWrapperOrder={["label", "input", "description"]} />
      )}
      {beginning === "import" && (
        <TextInput label="Address of the repository" placeholder="https://example.org/team/repository.git" required type="url" maxLength={2000}
          value={url} onChange={(event) => setUrl(event.currentTarget.value)}
          description="A public git repository, by https. Its files and history are fetched; this may take minutes." inputWrapperOrder={["label", "input", "description"]} />
      )}
      <TextInput label="Name" required data-autofocus value={name} error={wrong} onBlur={() => setTouched(name !== "")}
        onChange={(event) => setName(event.currentTarget.value)} description="Lower-case letters, digits, dots and hyphens." inputWrapperOrder={["label", "input", "description", "error"]} />
      <Textarea label="Description" autosize minRows={2} maxRows={6} maxLength={10_000} value={description}
        onChange={(event) => setDescription(event.currentTarget.value)} />
      <Radio.Group label="Who may see it" value={visibility} onChange={(value) => setVisibility(value === "internal" ? "internal" : "private")}>
        <div className="stack" style={{ gap: 8, marginTop: 6 }}>
          <Radio value="private" label="Private: its members" />
          <Radio value="internal" label="Internal: everybody who can log in may read its files" />
        </div>
      </Radio.Group>
      {make.error !== null && <div className="notice bad" role="alert">{wordsOf(make.error)}</div>}
      <Group justify="flex-end">
        <Button variant="default" onClick={onDone}>Cancel</Button>
        <Button type="submit" loading={make.isPending}>Make the project</Button>
      </Group>
    </form>
  );
}
