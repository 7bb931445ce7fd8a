// What a run will probably wait, take and cost, from the plane's room and from earlier runs.
import { useInfiniteQuery } from "@tanstack/react-query";

import { itemsOf } from "../api/lists";
import type { Plane, Tier } from "../api/views";
import { cost, duration } from "../parts/format";
import { expected } from "./expected";
import { jobsList } from "./queries";

export function Expected({ projectId, tier, planes, what }: { projectId: string; tier: Tier; planes: Plane[]; what: string }) {
  const jobs = itemsOf(useInfiniteQuery(jobsList({ project_id: projectId })).data);
  const plane = planes.find((one) => one.name === tier.plane);
  const { wait, seconds, price } = expected(tier, plane, jobs, what);
  return (
    <div className="notice live" role="status">
      <p>{wait}</p>
      <p>
        {seconds === null ? "It has not run like this before, so its time is not known." : `It usually takes ${duration(seconds)}.`}
        {" "}
        {tier.price_per_hour === 0 ? "This tier costs nothing." : price === null ? `This tier costs ${cost(tier.price_per_hour)} an hour.` : `At ${cost(tier.price_per_hour)} an hour that is about ${cost(price)}.`}
      </p>
    </div>
  );
}
