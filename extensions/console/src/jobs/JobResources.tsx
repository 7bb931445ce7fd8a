// What a job used over time, and the numbers that it wrote.
import { useQuery } from "@tanstack/react-query";

import { LineChart } from "../charts/LineChart";
import type { Job } from "../api/views";
import { Empty } from "../parts/Empty";
import { Shown } from "../parts/Shown";
import { bytes, cpus, duration, figure } from "../parts/format";
import { metricsQuery } from "./queries";
import { over } from "./rules";

export function JobResources({ job }: { job: Job }) {
  const query = useQuery(metricsQuery(job.id, !over(job)));
  return (
    <Shown query={query} what="what it used">
      {({ samples, values }) => {
        const start = Date.parse(job.started_at ?? samples[0]?.at ?? job.queued_at);
        const until = job.finished_at === null ? 0 : (Date.parse(job.finished_at) - start) / 1000;
        const at = (time: string) => (Date.parse(time) - start) / 1000;
        return (
          <div className="stack">
            {samples.length === 0 ? (
              <Empty title="No samples">
                <p>{over(job) ? "It ended before it was looked at: a job is sampled every few seconds." : "The first one comes some seconds after it runs."}</p>
              </Empty>
            ) : (
              <>
                <section className="card">
                  <LineChart title="CPU" curves={[{ name: "CPU", points: samples.map((one) => ({ x: at(one.at), y: one.cpu })) }]}
                    x={duration} y={cpus} least={1} until={until} />
                </section>
                <section className="card">
                  <LineChart title="Memory" binary curves={[{ name: "Memory", points: samples.map((one) => ({ x: at(one.at), y: one.memory })) }]}
                    x={duration} y={bytes} least={1 << 20} until={until} />
                </section>
              </>
            )}
            {values !== null && Object.keys(values).length > 0 && <Values values={values} />}
          </div>
        );
      }}
    </Shown>
  );
}

function Values({ values }: { values: Record<string, number> }) {
  return (
    <section className="card flush" aria-label="Numbers it wrote">
      <table className="list">
        <thead><tr><th>Number it wrote</th><th className="number">Value</th></tr></thead>
        <tbody>
          {Object.entries(values).slice(0, 500).map(([name, value]) => (
            <tr key={name}><th scope="row" className="wrap">{name}</th><td className="number" title={String(value)}>{figure(value)}</td></tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
