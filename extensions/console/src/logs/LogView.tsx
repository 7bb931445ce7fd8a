// A log: follows while it grows, is searched, is downloaded. Only the lines in sight are drawn.
import { Button } from "@mantine/core";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";

import { API } from "../api/client";
import { Empty } from "../parts/Empty";
import { Loading } from "../parts/Loading";
import { Problem } from "../parts/Problem";
import { counted } from "../parts/format";
import { LogLine } from "./LogLine";
import { LogSearch } from "./LogSearch";
import { useLog } from "./useLog";

const LINE = 20; // pixels, as console.css has it
const NEAR = 40;
const SHORT = 28; // lines: a short log that is whole needs no tall box

interface Props {
  jobId: string;
  number: number;
  done: boolean;
  attempt: number;
}

export function LogView({ jobId, number, done }: Props) {
  const { lines, error, ready, cut } = useLog(jobId, done);
  const place = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const [found, setFound] = useState<{ lines: Set<number>; current: number | null }>({ lines: new Set(), current: null });
  const rows = useVirtualizer({
    count: lines.count,
    getScrollElement: () => place.current,
    estimateSize: () => LINE,
    overscan: 30,
  });
  const count = lines.count;
  useEffect(() => {
    if (following && count > 0 && !done) rows.scrollToIndex(count - 1, { align: "end" });
  }, [count, following, done, rows]);
  if (count === 0) {
    if (error !== null) return <Problem error={error} what="The log could not be loaded" />;
    if (!ready) return <Loading what="the log" />;
    return <Empty title={done ? "It has written nothing" : "Nothing written yet"}>{!done && <p>Lines show here as they come.</p>}</Empty>;
  }
  const onScroll = () => {
    const box = place.current;
    if (box !== null) setFollowing(box.scrollHeight - box.scrollTop - box.clientHeight < NEAR);
  };
  const show = (index: number | null, all: Set<number>) => {
    setFound({ lines: all, current: index });
    if (index === null) return;
    setFollowing(false);
    rows.scrollToIndex(index, { align: "center" });
  };
  return (
    <div className="stack" style={{ gap: 10 }}>
      <div className="row spread">
        <LogSearch lines={lines} onShow={show} />
        <div className="row">
          <span className="soft small" aria-live="off">{counted(count, "line")}{done ? "" : ", live"}</span>
          {!done && !following && (
            <Button size="xs" variant="default" onClick={() => { setFollowing(true); rows.scrollToIndex(count - 1, { align: "end" }); }}>
              Follow
            </Button>
          )}
          <Button size="xs" variant="default" component="a" download={`job-${number}.log`}
            href={`${API}/jobs/${encodeURIComponent(jobId)}/logs?follow=false`}>
            Download
          </Button>
        </div>
      </div>
      {cut && <div className="notice wait">The log is very long; this is its beginning. Download it for all of it.</div>}
      {error !== null && <div className="notice wait">The log is not followed just now; this goes on by itself.</div>}
      <div className="log" ref={place} onScroll={onScroll} tabIndex={0} role="region" aria-label="Log"
        style={done && count < SHORT ? { height: count * LINE + 24 } : {}}>
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((row) => (
            <LogLine key={row.index} number={row.index + 1} text={lines.at(row.index)} top={row.start}
              found={found.lines.has(row.index)} current={found.current === row.index} />
          ))}
        </div>
      </div>
    </div>
  );
}
