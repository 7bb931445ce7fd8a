// The rows of a long table: only those near the window are in the page. The page itself scrolls.
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useLayoutEffect, useRef, useState, type ReactNode } from "react";

/** What a row has to put on its `tr`: its height is measured, its place is told to readers. */
export interface RowProps {
  ref: (element: HTMLTableRowElement | null) => void;
  "data-index": number;
  "aria-rowindex": number;
}

interface Props {
  count: number;
  /** Pixels that a row usually takes. */
  height: number;
  children: (index: number, row: RowProps) => ReactNode;
}

/** A `tbody`. Its table says `aria-rowcount`: one more than the rows, for its head. */
export function VirtualRows({ count, height, children }: Props) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [above, setAbove] = useState(0);
  // What is above it may grow, such as a filter that wraps.
  useLayoutEffect(() => {
    const measure = () => {
      const box = body.current?.getBoundingClientRect();
      if (box !== undefined) setAbove(Math.round(box.top + window.scrollY));
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(document.body);
    return () => watcher.disconnect();
  }, []);
  const rows = useWindowVirtualizer({ count, estimateSize: () => height, overscan: 12, scrollMargin: above });
  const shown = rows.getVirtualItems();
  const first = shown[0];
  const last = shown.at(-1);
  const before = first === undefined ? 0 : first.start - above;
  const after = last === undefined ? count * height : rows.getTotalSize() - (last.end - above);
  return (
    <tbody ref={body}>
      <Gap height={before} />
      {shown.map((row) => children(row.index, { ref: rows.measureElement, "data-index": row.index, "aria-rowindex": row.index + 2 }))}
      <Gap height={after} />
    </tbody>
  );
}

function Gap({ height }: { height: number }) {
  return height > 0 ? <tr aria-hidden="true" className="gap"><td style={{ height }} /></tr> : null;
}
