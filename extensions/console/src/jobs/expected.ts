// What is to be expected of a run: pure reckoning on what is known.
import type { Job, Plane, Tier } from "../api/views";
import { bytes, cpus } from "../parts/format";
import { commandOf } from "./rules";

export interface Expectation {
  wait: string;
  /** Median seconds of earlier successful runs of the same; null when there was none. */
  seconds: number | null;
  price: number | null;
}

export function expected(tier: Tier, plane: Plane | undefined, jobs: Job[], what: string): Expectation {
  const seconds = usual(jobs, what);
  const price = seconds === null ? null : (seconds / 3600) * tier.price_per_hour;
  return { wait: waitOf(tier, plane), seconds, price };
}

/** Says what a run on a tier will wait for just now. */
export function waitOf(tier: Tier, plane: Plane | undefined, what = "the job"): string {
  if (plane === undefined) return `The data plane ${tier.plane} is not known here: ${what} waits until it is.`;
  if (plane.status === "away") return `The data plane ${plane.name} is away: ${what} waits until it is back.`;
  const cpu = plane.capacity.cpu - plane.used.cpu;
  const memory = plane.capacity.memory - plane.used.memory;
  if (tier.cpu > plane.capacity.cpu || tier.memory > plane.capacity.memory) return `The data plane ${plane.name} is too small for this tier.`;
  if (tier.cpu <= cpu && tier.memory <= memory) return `There is room on ${plane.name}: it starts at once.`;
  const lacks = tier.cpu > cpu ? `${cpus(tier.cpu)}, and ${Number(cpu.toFixed(2))} are free` : `${bytes(tier.memory)} of memory, and ${bytes(memory)} are free`;
  return `It will wait on ${plane.name}: it needs ${lacks}.`;
}

/** The median time of earlier runs of the same program. */
export function usual(jobs: Job[], what: string): number | null {
  const name = what.trim();
  if (name === "") return null;
  const times = jobs
    .filter((job) => job.status === "Succeeded" && job.started_at !== null && job.finished_at !== null)
    .filter((job) => job.file === name || commandOf(job) === name)
    .map((job) => (Date.parse(job.finished_at ?? "") - Date.parse(job.started_at ?? "")) / 1000)
    .sort((left, right) => left - right);
  return times.length === 0 ? null : (times[Math.floor(times.length / 2)] ?? null);
}

/** The tier that counts: the chosen one, the project's, the platform's, or any. */
export function tierOf(tiers: Tier[], chosen: string | null, ofProject: string | null): Tier | undefined {
  const by = (name: string | null) => tiers.find((one) => one.name === name);
  return by(chosen) ?? by(ofProject) ?? tiers.find((one) => one.default) ?? tiers[0];
}
