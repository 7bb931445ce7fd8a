// A list of jobs with its filters; used for all projects and for one.
import { Button, Select, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { useNavigate, useSearchParams } from "react-router";

import { itemsOf } from "../api/lists";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { MoreButton } from "../parts/MoreButton";
import { Problem } from "../parts/Problem";
import { administers, meQuery, seesResults } from "../people/queries";
import { useProjects } from "../projects/useProjects";
import { JobTable } from "./JobTable";
import { jobsList, type JobFilter } from "./queries";
import { STATUSES } from "./rules";

interface Props {
  projectId?: string;
  empty?: ReactNode;
  /** Whether jobs can be stopped here: for those who administer. */
  stops?: boolean;
  /** Whether two can be chosen and compared. */
  compares?: boolean;
}

export function JobsBrowser({ projectId, empty, stops = false, compares = true }: Props) {
  const [address, setAddress] = useSearchParams();
  const [chosen, setChosen] = useState<string[]>([]);
  const navigate = useNavigate();
  const me = useQuery(meQuery).data;
  const may = compares && seesResults(me);
  const filter = filterIn(address, projectId);
  const query = useInfiniteQuery(jobsList(filter));
  const jobs = itemsOf(query.data);
  const projects = useProjects(projectId === undefined ? jobs.map((job) => job.project_id) : []);
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(address);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setAddress(next, { replace: true });
  };
  const setTag = useDebouncedCallback((value: string) => set("tag", value.trim()), 300);
  const choose = (id: string) =>
    setChosen(chosen.includes(id) ? chosen.filter((one) => one !== id) : [...chosen.slice(-1), id]);
  const filtered = filter.status !== undefined || filter.tag !== undefined;
  return (
    <div className="stack">
      <div className="row spread" style={{ alignItems: "end" }}>
        <div className="row" style={{ alignItems: "end" }}>
          <Select label="Status" placeholder="Any" clearable data={STATUSES} w={170}
            clearButtonProps={{ "aria-label": "Any status" }}
            value={filter.status ?? null} onChange={(value) => set("status", value ?? "")} />
          <TextInput label="Tag" placeholder="Any" defaultValue={filter.tag ?? ""} maxLength={64} w={170}
            onChange={(event) => setTag(event.currentTarget.value)} />
        </div>
        {may && <Button variant="default" disabled={chosen.length !== 2}
          onClick={() => void navigate(`/jobs/compare?left=${chosen[0] ?? ""}&right=${chosen[1] ?? ""}`)}>
          {chosen.length === 2 ? "Compare the two" : "Choose two to compare"}
        </Button>}
      </div>
      <section className="card flush" aria-label="Jobs" aria-busy={query.isFetching}>
        {query.data === undefined
          ? query.error === null ? <Loading what="the jobs" /> : <Problem error={query.error} what="The jobs could not be loaded" again={() => void query.refetch()} />
          : jobs.length === 0
            ? filtered ? <Empty title="No job is like this"><p>Other filters may find one.</p></Empty>
              : empty ?? <Empty title="No job yet"><p>A job runs a command of a project. Open a project to run its first one.</p></Empty>
            : <JobTable jobs={jobs} {...(may ? { chosen, onChoose: choose } : {})} stops={stops && administers(me)} {...(projectId === undefined ? { projects } : {})} />}
        <MoreButton query={query} />
      </section>
    </div>
  );
}

function filterIn(address: URLSearchParams, projectId: string | undefined): JobFilter {
  const status = STATUSES.find((one) => one === address.get("status"));
  const tag = address.get("tag") ?? undefined;
  const owner = address.get("owner") ?? undefined;
  return {
    ...(projectId === undefined ? {} : { project_id: projectId }),
    ...(status === undefined ? {} : { status }),
    ...(tag === undefined ? {} : { tag: tag.slice(0, 64) }),
    ...(owner === undefined ? {} : { owner }),
  };
}
