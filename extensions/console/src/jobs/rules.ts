// Plain decisions about jobs: what they run, whether they are over, how they are called.
import type { Job, JobStatus } from "../api/views";

const FINAL = new Set<JobStatus>(["Succeeded", "Failed", "Error", "Stopped"]);

export const STATUSES: JobStatus[] = [
  "Queued", "Pending", "Preparing", "Running", "Finishing", "Stopping",
  "Succeeded", "Failed", "Error", "Stopped",
];

/** Whether a job has reached its end. */
export function over(job: Pick<Job, "status">): boolean {
  return FINAL.has(job.status);
}

/** Whether a job ended badly. */
export function failed(job: Pick<Job, "status">): boolean {
  return job.status === "Failed" || job.status === "Error";
}

/** Writes what a job runs as one would type it. */
export function commandOf(job: Pick<Job, "file" | "args" | "command">): string {
  if (job.file !== null) return [job.file, ...job.args].map(quoted).join(" ");
  if (typeof job.command === "string") return job.command;
  return (job.command ?? []).map(quoted).join(" ");
}

/** Quotes a word as a shell needs it. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** The name of a job: its title, or what it runs. */
export function nameOf(job: Job): string {
  return job.title === "" ? commandOf(job) : job.title;
}
