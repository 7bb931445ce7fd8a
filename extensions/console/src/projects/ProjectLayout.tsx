// What stands around the pages of one project: its name, its parts, what can be done.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { NavLink, Outlet, useLocation, useNavigate, useOutletContext, useParams, useSearchParams } from "react-router";

import type { Project } from "../api/views";
import { Launcher } from "../jobs/Launcher";
import { snapshotIn } from "../jobs/choices";
import { Empty } from "../parts/Empty";
import { PageHead } from "../parts/PageHead";
import { Shown } from "../parts/Shown";
import { meQuery } from "../people/queries";
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
  const rights = rightsIn(project, me);
  const [address, setAddress] = useSearchParams();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const parts = useRef<HTMLElement>(null);
  // On a narrow screen the parts do not all fit: the present one is to be in sight.
  useEffect(() => {
    // In braces: a new browser's scrollIntoView gives a promise, which React would take for a clean-up.
    parts.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [pathname]);
  const tabs: [string, string, boolean][] = [
    ["", "README", true],
    ["files", "Files", rights.files],
    ["history", "History", rights.files],
    ["jobs", "Jobs", rights.results],
    ["workspaces", "Workspaces", rights.workspaces],
    ["experiments", "Experiments", rights.results],
    ["models", "Models", rights.results],
    ["secrets", "Secrets", rights.secrets],
    ["members", "Members", rights.members],
    ["settings", "Settings", rights.edit],
  ];
  const here = pathname.split("/")[3] ?? "";
  const hidden = tabs.find(([to, , shown]) => to === here && !shown);
  const close = () => {
    const next = new URLSearchParams(address);
    for (const name of ["run", "file", "workspace", "snapshot"]) next.delete(name);
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
      <nav className="tabs" aria-label="Parts of the project" ref={parts}>
        {tabs.filter(([, , shown]) => shown).map(([to, name]) => (
          <NavLink key={to} to={`/projects/${project.id}${to === "" ? "" : `/${to}`}`} end={to === ""}>{name}</NavLink>
        ))}
      </nav>
      {hidden === undefined ? <Outlet context={{ project, rights } satisfies InProject} /> : (
        <div className="card"><Empty title="This is not for your role"><p>{hidden[1]} of this project {hidden[1] === "History" ? "is" : "are"} for those who have more rights in it; an owner can give them to you.</p></Empty></div>
      )}
      <Launcher project={project} opened={address.has("run")} file={address.get("file")} code={snapshotIn(address)} onClose={close} />
    </>
  );
}
