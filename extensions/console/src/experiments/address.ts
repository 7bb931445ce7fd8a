// What the page's address says of the runs that are wanted, so that a view can be shared. Pure.
import { NEWEST, RUN_STATUSES, type Sort } from "./table";

export interface Wanted {
  experiment: string | null;
  text: string;
  /** As MLflow writes it. */
  status: string | null;
  sort: Sort;
  view: "table" | "parallel" | "scatter";
}

export function wantedIn(address: URLSearchParams): Wanted {
  const view = address.get("view");
  const status = address.get("status");
  const experiment = address.get("experiment");
  return {
    experiment: experiment !== null && /^\d{1,32}$/.test(experiment) ? experiment : null,
    text: (address.get("filter") ?? "").slice(0, 500),
    status: RUN_STATUSES.find(([, theirs]) => theirs === status)?.[1] ?? null,
    sort: sortOf(address.get("sort")),
    view: view === "parallel" || view === "scatter" ? view : "table",
  };
}

function sortOf(text: string | null): Sort {
  if (text === null || text === "" || text === "-") return NEWEST;
  return text.startsWith("-") ? { by: text.slice(1), up: false } : { by: text, up: true };
}

/** The address with some parts changed; null takes one away. */
export function addressWith(address: URLSearchParams, change: Record<string, string | null>): URLSearchParams {
  const next = new URLSearchParams(address);
  for (const [name, value] of Object.entries(change)) {
    if (value === null || value === "") next.delete(name);
    else next.set(name, value);
  }
  return next;
}
