// Stopping one job from a list.
import { useMutation, useQueryClient } from "@tanstack/react-query";

import { client, ok } from "../api/client";
import type { Job } from "../api/views";
import { ConfirmButton } from "../parts/ConfirmButton";
import { tellDone, tellProblem } from "../parts/tell";
import { over } from "./rules";

export function StopButton({ job }: { job: Job }) {
  const queries = useQueryClient();
  const stop = useMutation({
    mutationFn: () => ok(client.POST("/jobs/{id}/stop", { params: { path: { id: job.id } } })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["jobs"] });
      tellDone(`Job #${job.number} is asked to stop`);
    },
    onError: (error) => tellProblem(error, `Job #${job.number} could not be stopped`),
  });
  if (over(job)) return null;
  return (
    <ConfirmButton size="compact-sm" label="Stop" question={`Stop job #${job.number} of ${job.owner.name}?`} confirm="Stop it" busy={stop.isPending || job.target === "stopped"}
      onConfirm={() => stop.mutate()}>
      The program has some seconds to end by itself. What it has written until then is kept.
    </ConfirmButton>
  );
}
