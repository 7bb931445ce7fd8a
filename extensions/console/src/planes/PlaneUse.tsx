// What a plane has and what is in use.
import type { Plane } from "../api/views";
import { bytes, cpus } from "../parts/format";
import { Meter } from "../parts/Meter";

export function PlaneUse({ plane }: { plane: Plane }) {
  const { capacity, used } = plane;
  if (capacity.cpu === 0) return <p className="soft small">Its agent has not said yet what it has.</p>;
  return (
    <div className="stack" style={{ gap: 10, marginTop: 10 }}>
      <Meter name="CPU" used={used.cpu} total={capacity.cpu} text={`${used.cpu} of ${cpus(capacity.cpu)}`} />
      <Meter name="Memory" used={used.memory} total={capacity.memory} text={`${bytes(used.memory)} of ${bytes(capacity.memory)}`} />
      {capacity.gpu > 0 && <Meter name="GPU" used={used.gpu} total={capacity.gpu} text={`${used.gpu} of ${capacity.gpu}`} />}
    </div>
  );
}
