// A status in its colour; the word says it all, the colour only helps.

export type Tone = "good" | "bad" | "wait" | "live" | "calm";

const TONES: Record<string, Tone> = {
  Succeeded: "good", Ready: "good", connected: "good", ok: "good", active: "good",
  Failed: "bad", Error: "bad", away: "bad", failed: "bad",
  Queued: "wait", Pending: "wait", degraded: "wait", importing: "wait",
  Starting: "live", Preparing: "live", Running: "live", Finishing: "live", Building: "live", Stopping: "live",
};

/** The tone of a status of a job, an environment, a plane or a dependency. */
export function toneOf(status: string): Tone {
  return TONES[status] ?? "calm";
}

export function StatusPill({ status }: { status: string }) {
  return (
    <span className={`pill ${toneOf(status)}`}>
      <span className="dot" aria-hidden="true" />
      {status}
    </span>
  );
}
