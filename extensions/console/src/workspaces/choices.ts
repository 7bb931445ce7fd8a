// The choices for a workspace: those of the last time are there again. Pure, but for `remember`
// and `choicesOf`, which use the browser's own store.
import type { components } from "../api/schema";

type WorkspaceCreate = components["schemas"]["WorkspaceCreate"];

export interface Choices {
  name: string;
  title: string;
  tool: "jupyterlab";
  environment: string | null;
  tier: string | null;
  branch: string | null;
}

const NONE: Choices = { name: "", title: "", tool: "jupyterlab", environment: null, tier: null, branch: null };

const key = (projectId: string) => `smalti-workspace-${projectId}`;

/** The choices of the last time, without its name and title. */
export function choicesOf(projectId: string): Choices {
  try {
    const kept = JSON.parse(localStorage.getItem(key(projectId)) ?? "{}") as Partial<Choices>;
    return { ...NONE, environment: kept.environment ?? null, tier: kept.tier ?? null, branch: kept.branch ?? null };
  } catch {
    return NONE; // a store that is closed or was written by something else
  }
}

/** Keeps the choices for the next time. */
export function remember(projectId: string, choices: Choices): void {
  try {
    localStorage.setItem(key(projectId), JSON.stringify({ environment: choices.environment, tier: choices.tier, branch: choices.branch }));
  } catch {
    return; // a full or closed store: the choices are asked for again
  }
}

/** What the API takes: what was not chosen is left to the project. */
export function bodyOf(projectId: string, choices: Choices): WorkspaceCreate {
  const title = choices.title.trim().replace(/ {2,}/g, " ");
  return {
    project_id: projectId,
    tool: choices.tool,
    ...(choices.name.trim() === "" ? {} : { name: choices.name.trim() }),
    ...(title === "" ? {} : { title }),
    ...(choices.environment === null ? {} : { environment_id: choices.environment }),
    ...(choices.tier === null ? {} : { tier: choices.tier }),
    ...(choices.branch === null ? {} : { branch: choices.branch }),
  };
}
