// CPU and memory of two jobs over the time that each has run.
import { useQuery } from "@tanstack/react-query";

import type { Sample } from "../api/views";
import { LineChart, type Curve } from "../charts/LineChart";
import { bytes, cpus, duration } from "../parts/format";
import { metricsQuery } from "./queries";

export function CompareCurves({ left, right }: { left: string; right: string }) {
  const one = useQuery(metricsQuery(left, false)).data?.samples ?? [];
  const other = useQuery(metricsQuery(right, false)).data?.samples ?? [];
  if (one.length + other.length === 0) return null;
  const curves = (value: (sample: Sample) => number): Curve[] =>
    [["Left", one] as const, ["Right", other] as const].filter(([, samples]) => samples.length > 0).map(([name, samples]) => ({
      name,
      points: samples.map((sample) => ({ x: (Date.parse(sample.at) - Date.parse(samples[0]?.at ?? sample.at)) / 1000, y: value(sample) })),
    }));
  return (
    <div className="grid">
      <section className="card"><LineChart title="CPU" curves={curves((sample) => sample.cpu)} x={duration} y={cpus} least={1} /></section>
      <section className="card"><LineChart title="Memory" binary curves={curves((sample) => sample.memory)} x={duration} y={bytes} least={1 << 20} /></section>
    </div>
  );
}
