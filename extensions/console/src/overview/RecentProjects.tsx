// The newest projects that one sees.
import { Anchor, Title } from "@mantine/core";
import { Link } from "react-router";

import type { Project } from "../api/views";
import { Ago } from "../parts/Ago";
import { fullName } from "../projects/queries";

export function RecentProjects({ projects }: { projects: Project[] }) {
  return (
    <section className="card" aria-label="Projects">
      <Title order={2}>Projects</Title>
      <ul className="plain lines">
        {projects.map((project) => (
          <li key={project.id}>
            <div className="row spread tight">
              <Anchor component={Link} to={`/projects/${project.id}`} fw={600} className="wrap">{fullName(project)}</Anchor>
              <span className="soft small"><Ago time={project.updated_at} /></span>
            </div>
            {project.description !== "" && <div className="soft small clip">{project.description.slice(0, 200)}</div>}
          </li>
        ))}
      </ul>
      <p className="small" style={{ marginBottom: 0 }}><Anchor component={Link} to="/projects" inherit>All projects</Anchor></p>
    </section>
  );
}
