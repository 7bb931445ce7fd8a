// What the palette can go to: pages, projects, jobs, workspaces, and files and models by name.
import { useInfiniteQuery } from "@tanstack/react-query";

import { itemsOf } from "../api/lists";
import { jobsList } from "../jobs/queries";
import { nameOf } from "../jobs/rules";
import { fullName, projectsList } from "../projects/queries";
import { workspacesList } from "../workspaces/queries";
import { useInProjects } from "./inProjects";

export interface Place {
  key: string;
  kind: "page" | "project" | "job" | "workspace" | "file" | "model";
  name: string;
  note: string;
  to: string;
}

const PAGES: [string, string][] = [
  ["Overview", "/"], ["Projects", "/projects"], ["New project", "/projects?new"], ["Jobs", "/jobs"], ["Running jobs", "/jobs?status=Running"],
  ["Failed jobs", "/jobs?status=Failed"], ["Workspaces", "/workspaces"], ["Secrets", "/secrets"], ["Environments", "/environments"], ["Tokens", "/tokens"], ["Profile", "/profile"],
];
const ADMIN: [string, string][] = [
  ["People", "/admin/people"], ["Executions", "/admin/executions"], ["Hardware tiers", "/admin/tiers"], ["Data planes", "/admin/planes"],
  ["Audit trail", "/admin/audit"], ["Health", "/admin/health"],
];
const EACH = 8;

export function usePlaces(text: string, admin: boolean): { places: Place[]; busy: boolean } {
  const projects = useInfiniteQuery(projectsList(text));
  const newest = useInfiniteQuery(projectsList());
  const jobs = useInfiniteQuery(jobsList({}));
  const workspaces = useInfiniteQuery(workspacesList({}));
  const inside = useInProjects(itemsOf(newest.data), text.length >= 2);
  const pages = [...PAGES, ...(admin ? ADMIN : [])].map(([name, to]): Place => ({ key: to, kind: "page", name, note: "", to }));
  const found = itemsOf(projects.data).map((one): Place => ({ key: one.id, kind: "project", name: fullName(one), note: "", to: `/projects/${one.id}` }));
  const runs = itemsOf(jobs.data).map((one): Place => ({ key: one.id, kind: "job", name: `#${one.number} ${nameOf(one).slice(0, 120)}`, note: one.status, to: `/jobs/${one.id}` }));
  const sessions = itemsOf(workspaces.data).map((one): Place => ({ key: one.id, kind: "workspace", name: one.title, note: one.status, to: `/workspaces/${one.id}` }));
  const some = (all: Place[]) => matching(all, text).slice(0, EACH);
  const within = text.length < 2 ? [] : [...some(inside.models), ...some(inside.files)];
  const places = [matching(pages, text), found.slice(0, EACH), some(sessions), within, some(runs)].flat();
  return { places, busy: (projects.isFetching && projects.data === undefined) || inside.busy };
}

/** Those whose name holds every word, in any case of letters. */
export function matching(places: Place[], text: string): Place[] {
  const words = text.toLowerCase().split(/\s+/);
  return places.filter((place) => words.every((word) => place.name.toLowerCase().includes(word)));
}
