// The steps of a job's way, from what the job says of itself. Pure.
import type { Job } from "../api/views";
import { failed, over } from "./rules";

export interface Step {
  name: string;
  state: "done" | "now" | "wrong" | "";
  words: string;
  at: string | null;
  /** What its length is measured by; null for a step without one. */
  from: string | null;
  until: string | null;
}

/** The steps, the first one first. */
export function stepsOf(job: Job): Step[] {
  const ended = over(job);
  const started = job.started_at !== null;
  const waiting = job.status === "Queued" || job.status === "Pending";
  const steps: Step[] = [
    step("Asked for", "done", `by ${job.owner.name}`, job.queued_at),
    {
      ...step("Waited", started || ended ? "done" : waiting ? "now" : "done", waiting ? (job.reason ?? "") : "", null),
      from: job.queued_at,
      until: job.started_at ?? (ended ? job.finished_at : waiting ? null : job.updated_at),
    },
  ];
  if (!started && ended) return [...steps, last(job)];
  steps.push(step("Prepared", started ? "done" : job.status === "Preparing" ? "now" : "",
    job.status === "Preparing" ? (job.reason ?? "") : "", job.started_at));
  const running = started && !ended && job.status !== "Finishing";
  steps.push({
    ...step("Ran", running ? "now" : started ? "done" : "", running ? (job.reason ?? "") : "", null),
    from: job.started_at,
    until: ended ? job.finished_at : job.status === "Finishing" ? job.updated_at : null,
  });
  if (ended) return [...steps, last(job)];
  steps.push(step("Stores its results", job.status === "Finishing" ? "now" : "", "", null));
  return steps;
}

function last(job: Job): Step {
  return step(job.status, failed(job) ? "wrong" : "done", job.reason ?? "", job.finished_at);
}

function step(name: string, state: Step["state"], words: string, at: string | null): Step {
  return { name, state, words, at, from: null, until: null };
}
