// A start on its way: its steps, what the present one waits for, and its time against the usual.
import { Title } from "@mantine/core";

import type { Workspace } from "../api/views";
import { useNow } from "../parts/clock";
import { duration } from "../parts/format";
import { againstUsual, startedSince, startSteps } from "./rules";

export function StartCard({ workspace }: { workspace: Workspace }) {
  const seconds = Math.max(0, (useNow(1000) - Date.parse(startedSince(workspace))) / 1000);
  const usual = againstUsual(seconds, workspace.usual_start);
  return (
    <section className="card" aria-label="Start">
      <div className="row spread">
        <Title order={2} style={{ margin: 0 }}>It is starting</Title>
        <span className="soft small" role="timer">{duration(Math.floor(seconds))}{usual === "" ? "" : `, ${usual}`}</span>
      </div>
      <ol className="steps" style={{ marginTop: 14 }} aria-live="polite">
        {startSteps(workspace).map((step) => (
          <li key={step.name} className={step.state} aria-current={step.state === "now" ? "step" : undefined}>
            <strong>{step.name}</strong>
            {step.words !== "" && <div className="soft small wrap">{step.words}</div>}
          </li>
        ))}
      </ol>
      <p className="soft small" style={{ marginBottom: 0 }}>You may leave this page: the start goes on.</p>
    </section>
  );
}
