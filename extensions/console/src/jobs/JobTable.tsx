// Jobs as a table; each of them leads to its page. On a narrow screen each is a small card.
import { Anchor } from "@mantine/core";
import { Link } from "react-router";

import type { Job, Project } from "../api/views";
import { Ago } from "../parts/Ago";
import { Elapsed } from "../parts/Elapsed";
import { StatusPill } from "../parts/StatusPill";
import { StopButton } from "./StopButton";
import { commandOf, nameOf, over } from "./rules";

interface Props {
  jobs: Job[];
  /** Names of projects by id; without it the table is one project's own. */
  projects?: Map<string, Project>;
  chosen?: string[];
  onChoose?: (id: string) => void;
  stops?: boolean;
}

export function JobTable({ jobs, projects, chosen, onChoose, stops = false }: Props) {
  return (
    <div className="table-scroll">
      <table className={`list folds${stops ? " stops" : ""}`}>
        <thead>
          <tr>
            {onChoose !== undefined && <th><span className="visually-hidden">Compare</span></th>}
            <th>Job</th><th>Status</th>{projects !== undefined && <th>Project</th>}
            <th>By</th><th>Tier</th><th>Asked for</th><th>Took</th>
            {stops && <th><span className="visually-hidden">Stop</span></th>}
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.id}>
              {onChoose !== undefined && (
                <td>
                  <input type="checkbox" aria-label={`Compare job ${job.number}`}
                    checked={chosen?.includes(job.id) ?? false} onChange={() => onChoose(job.id)} />
                </td>
              )}
              <th scope="row">
                <Anchor component={Link} to={`/jobs/${job.id}`} fw={600} className="wrap job-name">
                  <span className="soft">#{job.number}</span> {nameOf(job).slice(0, 160)}
                </Anchor>
                {job.title !== "" && <div className="soft small clip command">{commandOf(job).slice(0, 200)}</div>}
              </th>
              <td>
                <StatusPill status={job.status} />
                {job.reason !== null && job.status !== "Succeeded" && <div className="soft small reason">{job.reason}</div>}
              </td>
              {projects !== undefined && <td data-name="Project"><ProjectLink project={projects.get(job.project_id)} id={job.project_id} /></td>}
              <td data-name="By">{job.owner.name}</td>
              <td data-name="Tier">{job.tier}</td>
              <td data-name="Asked for"><Ago time={job.queued_at} /></td>
              <td data-name="Took"><Elapsed from={job.started_at} to={over(job) ? job.finished_at : null} /></td>
              {stops && <td><StopButton job={job} /></td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ProjectLink({ project, id }: { project: Project | undefined; id: string }) {
  return (
    <Anchor component={Link} to={`/projects/${id}`} inherit>
      {project === undefined ? "its project" : `${project.owner.name}/${project.name}`}
    </Anchor>
  );
}
