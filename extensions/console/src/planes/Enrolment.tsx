// A single-use token with which an agent begins to serve a plane.
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import { wordsOf } from "../api/errors";
import type { Plane } from "../api/views";
import { Ago } from "../parts/Ago";
import { CopyLine } from "../parts/CopyLine";

export function Enrolment({ plane }: { plane: Plane }) {
  const make = useMutation({ mutationFn: () => ok(client.POST("/planes/{id}/enrolments", { params: { path: { id: plane.id } } })) });
  if (make.data === undefined) {
    return (
      <div className="stack" style={{ marginTop: 14, gap: 8 }}>
        <div><Button variant="default" size="xs" loading={make.isPending} onClick={() => make.mutate()}>Enrol an agent</Button></div>
        {make.error !== null && <div className="notice bad" role="alert">{wordsOf(make.error)}</div>}
      </div>
    );
  }
  return (
    <div className="stack" style={{ marginTop: 14, gap: 8 }}>
      <div className="notice good" role="status">Shown only now; good for one agent, ends <Ago time={make.data.expires_at} />.</div>
      <CopyLine name="the enrolment token" text={make.data.token} />
    </div>
  );
}
