// Which project a new workspace is for.
import { Anchor, Modal, Select, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useNavigate } from "react-router";

import { itemsOf } from "../api/lists";
import { Problem } from "../parts/Problem";
import { meQuery } from "../people/queries";
import { fullName, projectsList, rightsIn } from "../projects/queries";

export function ProjectPickDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} closeButtonProps={{ "aria-label": "Close" }} title={<Text fw={650} component="span">New workspace</Text>}>
      {opened && <Pick />}
    </Modal>
  );
}

function Pick() {
  const [text, setText] = useState("");
  const [wanted] = useDebouncedValue(text.trim(), 200);
  const me = useQuery(meQuery).data;
  const query = useInfiniteQuery(projectsList(wanted));
  const navigate = useNavigate();
  const projects = itemsOf(query.data).filter((project) => project.status === "ready" && rightsIn(project, me).run);
  if (query.error !== null && query.data === undefined) return <Problem error={query.error} what="The projects could not be loaded" again={() => void query.refetch()} />;
  return (
    <div className="stack">
      <Select label="Project" placeholder="Choose, or type a part of its name" data-autofocus searchable searchValue={text} onSearchChange={setText}
        filter={({ options }) => options} nothingFoundMessage={query.isFetching ? "Looking …" : "You work in no project like this."}
        data={projects.map((project) => ({ value: project.id, label: fullName(project) }))}
        onChange={(id) => { if (id !== null) void navigate(`/projects/${id}/workspaces?new`); }} />
      <p className="soft small" style={{ margin: 0 }}>
        A workspace belongs to a project. <Anchor component={Link} to="/projects?new" inherit>Make a project</Anchor> if there is none for it yet.
      </p>
    </div>
  );
}
