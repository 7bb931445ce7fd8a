// A patch, line by line; only the lines in sight are drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";

const LINE = 20;

export function DiffView({ patch, cut = false }: { patch: string; cut?: boolean }) {
  const lines = useMemo(() => patch.replace(/\n$/, "").split("\n"), [patch]);
  const place = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({ count: lines.length, getScrollElement: () => place.current, estimateSize: () => LINE, overscan: 25 });
  if (patch === "") return null;
  const height = lines.length < 30 ? { height: lines.length * LINE + 22 } : {};
  return (
    <section aria-label="Lines that differ" className="stack" style={{ gap: 8 }}>
      {cut && <div className="notice wait">Too much differs to be shown whole: this is the beginning.</div>}
      <div className="log diff" ref={place} tabIndex={0} role="region" aria-label="Patch" style={height}>
        <div style={{ height: rows.getTotalSize(), position: "relative" }}>
          {rows.getVirtualItems().map((row) => {
            const line = lines[row.index] ?? "";
            return <div key={row.index} className={`log-line diff-line ${classOf(line)}`} style={{ transform: `translateY(${row.start}px)` }}>{line.slice(0, 2000)}</div>;
          })}
        </div>
      </div>
    </section>
  );
}

/** The kind of a line of a patch. */
export function classOf(line: string): string {
  if (line.startsWith("+++") || line.startsWith("---") || line.startsWith("diff ") || line.startsWith("index ")) return "head";
  if (line.startsWith("@@")) return "hunk";
  if (line.startsWith("+")) return "add";
  if (line.startsWith("-")) return "del";
  return "";
}
