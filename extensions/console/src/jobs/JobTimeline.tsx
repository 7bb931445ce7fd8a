// The way of a job: what has happened, what happens now, what is still to come.
import { Title } from "@mantine/core";

import type { Job } from "../api/views";
import { Ago } from "../parts/Ago";
import { Elapsed } from "../parts/Elapsed";
import { stepsOf } from "./timeline";

export function JobTimeline({ job }: { job: Job }) {
  return (
    <section className="card" aria-label="Timeline">
      <Title order={2}>Timeline</Title>
      <ol className="steps">
        {stepsOf(job).map((step) => (
          <li key={step.name} className={step.state} aria-current={step.state === "now" ? "step" : undefined}>
            <div className="row spread tight">
              <strong>{step.name}</strong>
              {step.at !== null && <span className="soft small"><Ago time={step.at} /></span>}
            </div>
            {step.words !== "" && <div className="soft small wrap">{step.words}</div>}
            {step.from !== null && (
              <div className="soft small">{step.until === null ? "for " : "took "}<Elapsed from={step.from} to={step.until} /></div>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
