// Plain decisions about workspaces: what can be done with one, what it does just now. Pure.
import type { Workspace, WorkspaceStatus } from "../api/views";

export const WORKSPACE_STATUSES: WorkspaceStatus[] = [
  "Starting", "Queued", "Preparing", "Running", "Stopping", "Stopped", "Failed",
];

const ON_THE_WAY = new Set<WorkspaceStatus>(["Starting", "Queued", "Preparing"]);
const NAME = /^[a-z](?:-?[a-z0-9])*$/;
const NAME_LONGEST = 30;
const SOON = 10 * 60_000; // the platform's own warning comes this long before the end, unless set otherwise

type State = Pick<Workspace, "status" | "target" | "url" | "deleted_at">;

/** Whether a workspace is on its way to run. */
export function starting(workspace: Pick<Workspace, "status">): boolean {
  return ON_THE_WAY.has(workspace.status);
}

/** Whether a workspace takes part of a data plane, or is about to. */
export function live(workspace: Pick<Workspace, "status">): boolean {
  return starting(workspace) || workspace.status === "Running" || workspace.status === "Stopping";
}

export function opens(workspace: State): boolean {
  return workspace.status === "Running" && workspace.url !== null && workspace.target === "running";
}

export function starts(workspace: State): boolean {
  return workspace.target === "stopped" && workspace.deleted_at === null;
}

export function stops(workspace: State): boolean {
  return workspace.target === "running";
}

/** When a workspace in which nothing happens is ended, if that is soon; else null. */
export function endsSoon(workspace: Pick<Workspace, "status" | "ends_at">, now: number): number | null {
  if (workspace.status !== "Running" || workspace.ends_at === null) return null;
  const end = Date.parse(workspace.ends_at);
  return end - now <= SOON ? end : null;
}

/** Whether a lease holds, so that nothing ends a workspace before its time. */
export function kept(workspace: Pick<Workspace, "keep_until">, now: number): boolean {
  return workspace.keep_until !== null && Date.parse(workspace.keep_until) > now;
}

/** Says what is wrong with a name: the API's own rule, said before it has to. Null: it will do. */
export function wrongInWorkspaceName(name: string): string | null {
  if (name === "") return null; // one is made from the project's name
  if (name.length > NAME_LONGEST) return `A name has at most ${NAME_LONGEST} characters.`;
  if (!NAME.test(name)) return "Lower-case letters, digits and single hyphens; it begins with a letter.";
  return null;
}

export interface StartStep {
  name: string;
  state: "done" | "now" | "";
  words: string;
}

const ORDER: WorkspaceStatus[] = ["Starting", "Queued", "Preparing", "Running"];
const STEPS: [string, string][] = [
  ["Asked for", "JupyterHub opens its address"],
  ["Place on the data plane", "waiting for a place"],
  ["Files, environment and tool", "being prepared"],
  ["Answers", "ready to be opened"],
];

/** The steps of a start; the present one says what it waits for. Empty when none is on its way. */
export function startSteps(workspace: Pick<Workspace, "status" | "reason">): StartStep[] {
  const at = ORDER.indexOf(workspace.status);
  if (at < 0 || workspace.status === "Running") return [];
  return STEPS.map(([name, usual], index) => ({
    name,
    state: index < at ? "done" : index === at ? "now" : "",
    words: index === at ? (workspace.reason ?? usual) : "",
  }));
}

/** From when the present start is reckoned. */
export function startedSince(workspace: Pick<Workspace, "status" | "started_at" | "updated_at">): string {
  return workspace.status === "Starting" ? workspace.updated_at : (workspace.started_at ?? workspace.updated_at);
}

/** Writes how a start's time stands to what is usual. */
export function againstUsual(seconds: number, usual: number | null): string {
  if (usual === null) return "";
  if (seconds < usual) return `usually about ${Math.max(1, Math.round(usual))} s`;
  if (seconds < usual * 2) return `a little longer than usual (${Math.max(1, Math.round(usual))} s)`;
  return `longer than usual (${Math.max(1, Math.round(usual))} s)`;
}
