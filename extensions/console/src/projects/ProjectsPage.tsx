// The projects that one may see: found by name, made anew.
import { Anchor, Button, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import { itemsOf } from "../api/lists";
import type { Project } from "../api/views";
import { Ago } from "../parts/Ago";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { PageHead } from "../parts/PageHead";
import { Problem } from "../parts/Problem";
import { makes, meQuery } from "../people/queries";
import { NewProject } from "./NewProject";
import { fullName, projectsList } from "./queries";
import { IconSearch } from "../parts/icons";

export function ProjectsPage() {
  const [address, setAddress] = useSearchParams();
  const search = (address.get("search") ?? "").slice(0, 200);
  const me = useQuery(meQuery).data;
  const query = useInfiniteQuery(projectsList(search));
  const projects = itemsOf(query.data);
  const set = (name: string, value: string | null) => {
    const next = new URLSearchParams(address);
    if (value === null) next.delete(name);
    else next.set(name, value);
    setAddress(next, { replace: true });
  };
  const setSearch = useDebouncedCallback((text: string) => set("search", text === "" ? null : text), 250);
  return (
    <>
      <PageHead title="Projects" about="A project is a git repository with people around it: its files, jobs and results.">
        {makes(me) && <Button onClick={() => set("new", "")}>New project</Button>}
      </PageHead>
      <div className="stack">
        <TextInput aria-label="Search projects" placeholder="Search by owner or name" maw={380} maxLength={200}
          leftSection={<IconSearch size={16} />} defaultValue={search} onChange={(event) => setSearch(event.currentTarget.value)} />
        <section className="card flush" aria-label="Projects" aria-busy={query.isFetching}>
          {query.data === undefined
            ? query.error === null ? <Loading what="the projects" /> : <Problem error={query.error} what="The projects could not be loaded" again={() => void query.refetch()} />
            : projects.length === 0 ? <None search={search} may={makes(me)} onNew={() => set("new", "")} /> : <ProjectTable projects={projects} />}
          <MoreButton query={query} />
        </section>
      </div>
      <NewProject opened={address.has("new")} example={address.get("new")} onClose={() => set("new", null)} />
    </>
  );
}

function None({ search, may, onNew }: { search: string; may: boolean; onNew: () => void }) {
  if (search !== "") return <Empty title="No project is called like this"><p>You see your own projects, those you are a member of, and internal ones.</p></Empty>;
  return (
    <Empty title="No project yet">
      {may ? <><p>Begin with an empty one, an example, or a repository from elsewhere.</p><Button onClick={onNew}>New project</Button></>
        : <p>Ask the owner of a project to make you a member.</p>}
    </Empty>
  );
}

function ProjectTable({ projects }: { projects: Project[] }) {
  return (
    <div className="table-scroll">
      <table className="list folds">
        <thead><tr><th>Project</th><th>Visibility</th><th>Your role</th><th>Changed</th></tr></thead>
        <tbody>
          {projects.map((project) => (
            <tr key={project.id}>
              <th scope="row">
                <Anchor component={Link} to={`/projects/${project.id}`} fw={600} className="wrap">{fullName(project)}</Anchor>
                {project.description !== "" && <div className="soft small description">{project.description.slice(0, 300)}</div>}
              </th>
              <td data-name="Visibility"><span className="tag">{project.visibility}</span></td>
              <td data-name="Your role">{project.role ?? "–"}</td>
              <td data-name="Changed"><Ago time={project.updated_at} /></td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
