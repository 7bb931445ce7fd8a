// Values as a table; only the rows in sight are drawn.
import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef } from "react";

import { Empty } from "../parts/Empty";
import { counted } from "../parts/format";
import { rowsOf } from "./csv";

const ROW = 30;
const COLUMNS = 60;

export function CsvView({ text, separator }: { text: string; separator: string }) {
  const rows = useMemo(() => rowsOf(text, separator), [text, separator]);
  const place = useRef<HTMLDivElement>(null);
  const body = useVirtualizer({
    count: Math.max(0, rows.length - 1),
    getScrollElement: () => place.current,
    estimateSize: () => ROW,
    overscan: 20,
  });
  const head = rows[0];
  if (head === undefined) return <Empty title="An empty table" />;
  const columns = Math.min(COLUMNS, head.length);
  const items = body.getVirtualItems();
  const before = items[0]?.start ?? 0;
  const after = body.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <div className="stack" style={{ gap: 8 }}>
      <p className="soft small" style={{ margin: 0 }}>
        {counted(rows.length - 1, "row")}, {counted(head.length, "column")}
        {head.length > columns && `; the first ${columns} columns are shown`}
      </p>
      <div className="csv card flush" ref={place} tabIndex={0} role="region" aria-label="Table">
        <table className="list">
          <thead><tr><th className="number">Row</th>{head.slice(0, columns).map((name, index) => <th key={index}>{name.slice(0, 200)}</th>)}</tr></thead>
          <tbody>
            {before > 0 && <tr style={{ height: before }} aria-hidden="true"><td /></tr>}
            {items.map((item) => (
              <tr key={item.index} style={{ height: ROW }}>
                <td className="number soft">{item.index + 1}</td>
                {Array.from({ length: columns }, (_, column) => (
                  <td key={column} className="clip">{(rows[item.index + 1]?.[column] ?? "").slice(0, 300)}</td>
                ))}
              </tr>
            ))}
            {after > 0 && <tr style={{ height: after }} aria-hidden="true"><td /></tr>}
          </tbody>
        </table>
      </div>
    </div>
  );
}
