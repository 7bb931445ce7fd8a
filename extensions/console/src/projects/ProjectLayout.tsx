// What stands around the pages of one project: its name, its parts, what can be done.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { NavLink, Outlet, useNavigate, useOutletContext, useParams, useSearchParams } from "react-router";

import type { Project } from "../api/views";
import { Launcher } from "../jobs/Launcher";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { administers, meQuery } from "../people/queries";
import { fullName, projectQuery, rightsIn } from "./queries";

export interface InProject {
  project: Project;
  rights: ReturnType<typeof rightsIn>;
}

/** The project whose page this is. */
export function useProject(): InProject {
  return useOutletContext<InProject>();
}

export function ProjectLayout() {
  const { projectId = "" } = useParams();
  const query = useQuery({
    ...projectQuery(projectId),
    refetchInterval: (state) => (state.state.data?.status === "importing" ? 2000 : false),
  });
  return <Shown query={query} what="the project">{(project) => <Layout key={project.id} project={project} />}</Shown>;
}

function Layout({ project }: { project: Project }) {
  const me = useQuery(meQuery).data;
  const rights = rightsIn(project, administers(me));
  const [address, setAddress] = useSearchParams();
  const navigate = useNavigate();
  const tabs: [string, string, boolean][] = [
    ["", "README", true],
    ["files", "Files", rights.files],
    ["history", "History", rights.files],
    ["jobs", "Jobs", rights.results],
    ["members", "Members", rights.members],
    ["settings", "Settings", rights.edit],
  ];
  const close = () => {
    const next = new URLSearchParams(address);
    for (const name of ["run", "file"]) next.delete(name);
    setAddress(next, { replace: true });
  };
  return (
    <>
      <PageHead title={fullName(project)} about={
        <>
          <span className="tag">{project.visibility}</span>{" "}
          {project.role !== null && <><span className="tag">{project.role}</span>{" "}</>}
          {project.description.slice(0, 500)}
        </>
      }>
        {rights.run && project.status === "ready" && (
          <Button onClick={() => void navigate({ search: "?run" }, { replace: true })}>Run a job</Button>
        )}
      </PageHead>
      {project.status === "importing" && <div className="notice live" role="status">Its files are being imported. This page follows by itself.</div>}
      {project.status === "failed" && <div className="notice bad" role="alert">The import failed: {project.status_reason}</div>}
      <nav className="tabs" aria-label="Parts of the project">
        {tabs.filter(([, , shown]) => shown).map(([to, name]) => (
          <NavLink key={to} to={`/projects/${project.id}${to === "" ? "" : `/${to}`}`} end={to === ""}>{name}</NavLink>
        ))}
      </nav>
      <Outlet context={{ project, rights } satisfies InProject} />
      <Launcher project={project} opened={address.has("run")} file={address.get("file")} onClose={close} />
    </>
  );
}
