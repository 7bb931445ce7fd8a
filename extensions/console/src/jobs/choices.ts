// The choices for a job: remembered for each project in this browser, and made into what the API
// takes. Pure, but for `remember` and `choicesOf`, which read and write the browser's own store.
import type { components } from "../api/schema";

type JobCreate = components["schemas"]["JobCreate"];

export interface Choices {
  kind: "command" | "file";
  what: string;
  args: string;
  environment: string | null;
  tier: string | null;
  ref: string | null;
  title: string;
  tags: string;
  env: string;
  minutes: string;
  retries: string;
}

const NONE: Choices = {
  kind: "command", what: "", args: "", environment: null, tier: null, ref: null,
  title: "", tags: "", env: "", minutes: "", retries: "",
};

const key = (projectId: string) => `smalti-job-${projectId}`;

/** The choices of the last time; a file that is named wins over what was run then. */
export function choicesOf(projectId: string, file: string | null): Choices {
  const choices = { ...NONE, ...kept(projectId), title: "" };
  return file === null ? choices : { ...choices, kind: "file", what: file, args: choices.what === file ? choices.args : "" };
}

function kept(projectId: string): Partial<Choices> {
  try {
    return JSON.parse(localStorage.getItem(key(projectId)) ?? "{}") as Partial<Choices>;
  } catch {
    return {}; // a store that is closed or was written by something else
  }
}

/** Keeps the choices for the next time. Variables are not kept: they may hold what is private. */
export function remember(projectId: string, choices: Choices): void {
  try {
    localStorage.setItem(key(projectId), JSON.stringify({ ...choices, title: "", env: "" }));
  } catch {
    return; // a full or closed store: the choices are asked for again
  }
}

/** A snapshot of a workspace whose files are to be run, instead of a branch's. */
export interface SnapshotCode {
  workspace: string;
  snapshot: number;
}

/** The snapshot that an address names; null for none. */
export function snapshotIn(address: URLSearchParams): SnapshotCode | null {
  const workspace = address.get("workspace");
  const snapshot = Number(address.get("snapshot"));
  return workspace === null || !Number.isInteger(snapshot) || snapshot < 1 ? null : { workspace, snapshot };
}

/** What the API takes. */
export function bodyOf(projectId: string, choices: Choices, code: SnapshotCode | null = null): JobCreate {
  const minutes = Number(choices.minutes.replace(",", "."));
  const retries = Number(choices.retries);
  return {
    project_id: projectId,
    ...(choices.kind === "file" ? { file: choices.what.trim(), args: words(choices.args) } : { command: choices.what }),
    ...(choices.environment === null ? {} : { environment_id: choices.environment }),
    ...(choices.tier === null ? {} : { tier: choices.tier }),
    ...(code !== null ? { workspace_id: code.workspace, snapshot: code.snapshot } : choices.ref === null ? {} : { ref: choices.ref }),
    title: choices.title.trim(),
    tags: choices.tags.split(",").map((tag) => tag.trim()).filter((tag) => tag !== ""),
    env: variables(choices.env),
    ...(choices.minutes.trim() === "" ? {} : { timeout: minutes * 60 }),
    retries: choices.retries.trim() === "" ? 0 : retries,
  };
}

const WORD = /(?:\\.|"(?:[^"\\]|\\.)*"|'[^']*'|\S)+/g;
const QUOTED = /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/g;

/** Takes a line apart into words as a shell does; a quote that never ends is a letter like others. */
export function words(line: string): string[] {
  return (line.match(WORD) ?? []).map((word) =>
    word.replace(QUOTED, (_, letter?: string, double?: string, single?: string) =>
      letter ?? single ?? (double ?? "").replace(/\\(.)/g, "$1")));
}

/** Reads lines of NAME=value. */
export function variables(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) found[line.slice(0, at).trim()] = line.slice(at + 1);
  }
  return found;
}
