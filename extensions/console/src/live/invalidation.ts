// Which of what is kept becomes stale by which event. Pure; `useLive` acts on it.
import type { QueryKey } from "@tanstack/react-query";

export interface Happening {
  topic: string;
  kind: string;
  project_id: string | null;
  subject_id: string;
}

/** The keys that an event makes stale. */
export function staleKeys(event: Happening): QueryKey[] {
  const project: QueryKey[] =
    event.project_id === null ? [] : [["project", event.project_id]];
  switch (event.topic) {
    case "jobs":
      return [["jobs"], ["job", event.subject_id], ["planes"]];
    case "workspaces":
      return [["workspaces"], ["workspace", event.subject_id], ["planes"]];
    case "projects":
      if (event.kind === "project.pushed") {
        return event.project_id === null ? [] : [["project", event.project_id, "files"]];
      }
      return [["projects"], ...project];
    case "planes":
      return [["planes"], ["tiers"]];
    case "people":
      return [["people"], ["me"]];
    default:
      return [];
  }
}

/** Gathers keys and hands them over together, at most once in `gap` milliseconds. */
export class Gatherer {
  private waiting = new Map<string, QueryKey>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last = -Infinity;

  constructor(
    private readonly hand: (keys: QueryKey[]) => void,
    private readonly gap = 1000,
    private readonly settle = 150,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  add(keys: QueryKey[]): void {
    for (const key of keys) this.waiting.set(JSON.stringify(key), key);
    if (this.waiting.size === 0 || this.timer !== undefined) return;
    const since = this.clock() - this.last;
    this.timer = setTimeout(() => this.flush(), Math.max(this.settle, this.gap - since));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.waiting.clear();
  }

  private flush(): void {
    this.timer = undefined;
    this.last = this.clock();
    const keys = [...this.waiting.values()];
    this.waiting.clear();
    this.hand(keys);
  }
}
