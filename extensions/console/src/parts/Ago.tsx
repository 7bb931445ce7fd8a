// A time, relative; the exact one on hover and for machines.
import { Tooltip } from "@mantine/core";

import { useNow } from "./clock";
import { ago, exact } from "./format";

export function Ago({ time }: { time: string }) {
  const then = Date.parse(time);
  const now = Math.max(useNow(), then);
  return (
    <Tooltip label={exact(time)}>
      <time dateTime={time} className="nowrap" tabIndex={-1}>
        {ago(then, then > Date.now() ? Date.now() : now)}
      </time>
    </Tooltip>
  );
}
