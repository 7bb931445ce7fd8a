// Text with numbered lines; only the lines in sight are drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";

const LINE = 20;
const SHORT = 32;
const LONGEST = 4000;

export function TextView({ text }: { text: string }) {
  const lines = useMemo(() => (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n"), [text]);
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => place.current,
    estimateSize: () => LINE,
    overscan: 20,
  });
  const height = lines.length <= SHORT ? { height: lines.length * LINE + 20 } : {};
  return (
    <div className="log" ref={place} tabIndex={0} role="region" aria-label="Content" style={height}>
      <div style={{ height: rows.getTotalSize(), position: "relative" }}>
        {rows.getVirtualItems().map((row) => (
          <div key={row.index} className="log-line" style={{ transform: `translateY(${row.start}px)` }}>
            <span className="log-number" aria-hidden="true">{row.index + 1}</span>
            <span className="log-text">{shortened(lines[row.index] ?? "")}</span>
          </div>
        ))}
      </div>
    </div>
  );
}

function shortened(line: string): string {
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)} … (cut: download the file for all of it)`;
}
