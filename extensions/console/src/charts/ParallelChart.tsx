// Parallel coordinates: one line for each run through an axis for each value. Dragging along an
// axis leaves the runs that pass there.
import { useId, useState, type PointerEvent } from "react";

import { figure } from "../parts/format";
import { shade } from "./colours";
import { ShadeKey } from "./ShadeKey";
import { axisOf, kindsOf, type Axis } from "./range";
import { useWidth } from "./useWidth";

export interface Dimension {
  key: string;
  name: string;
  /** The value of each line, in the order of the lines; null where it has none. */
  values: (string | number | null)[];
}

interface Props {
  dimensions: Dimension[];
  lines: { id: string; name: string }[];
  onPick: (id: string) => void;
}

const HEIGHT = 330;
const [SIDE, TOP, BOTTOM] = [56, 34, 16];
const MIN_GAP = 104;
const FEW = 8;

interface Laid {
  dimension: Dimension;
  x: number;
  axis: Axis | null;
  kinds: string[];
  y: (value: string | number | null) => number | null;
}

export function ParallelChart({ dimensions, lines, onPick }: Props) {
  const { ref, width } = useWidth();
  const [over, setOver] = useState<number | null>(null);
  const [ranges, setRanges] = useState<Record<string, [number, number]>>({});
  const [drag, setDrag] = useState<{ key: string; from: number } | null>(null);
  const id = useId();
  const drawn = Math.max(width, SIDE * 2 + MIN_GAP * (dimensions.length - 1));
  const gap = dimensions.length < 2 ? 0 : (drawn - SIDE * 2) / (dimensions.length - 1);
  const laid = dimensions.map((dimension, index) => lay(dimension, SIDE + gap * index));
  const last = laid.at(-1);
  const inside = (line: number) => laid.every((one) => {
    const range = ranges[one.dimension.key];
    const y = one.y(one.dimension.values[line] ?? null);
    return range === undefined || (y !== null && y >= range[0] && y <= range[1]);
  });
  const shadeOf = (line: number) => {
    const y = last?.y(last.dimension.values[line] ?? null) ?? null;
    return shade(y === null ? null : (HEIGHT - BOTTOM - y) / (HEIGHT - BOTTOM - TOP));
  };
  const yOf = (event: PointerEvent<SVGElement>) => {
    const box = event.currentTarget.ownerSVGElement?.getBoundingClientRect() ?? event.currentTarget.getBoundingClientRect();
    return Math.max(TOP, Math.min(HEIGHT - BOTTOM, event.clientY - box.top));
  };
  const chosen = Object.keys(ranges).length > 0;
  const left = lines.filter((_, index) => inside(index)).length;
  return (
    <figure className="chart-figure" ref={ref}>
      <figcaption className="row spread small">
        <span className="row tight">
          {last !== undefined && <ShadeKey name={last.dimension.name} />}
          <span className="soft">Drag along an axis to leave the runs that pass there.</span>
        </span>
        <span className="row tight">
          <span className="soft clip">{over === null ? (chosen ? `${left} of ${lines.length} runs` : "") : lines[over]?.name}</span>
          {chosen && <button type="button" className="plain-button linkish" onClick={() => setRanges({})}>All again</button>}
        </span>
      </figcaption>
      <div className="table-scroll" tabIndex={0} role="region" aria-label="Parallel coordinates">
        <svg className="chart parallel" width={drawn} height={HEIGHT} role="img" aria-labelledby={id}>
          <title id={id}>{`${lines.length} runs over ${dimensions.map((one) => one.name).join(", ")}`}</title>
          {lines.map((line, index) => (
            <path key={line.id} d={path(laid, index)} className={`run shade-${shadeOf(index)}${inside(index) ? "" : " out"}${over === index ? " over" : ""}`}
              onPointerEnter={() => setOver(index)} onPointerLeave={() => setOver(null)} onClick={() => onPick(line.id)} />
          ))}
          {laid.map((one, index) => (
            <AxisMarks key={one.dimension.key} laid={one} side={index === 0 ? "start" : index === laid.length - 1 ? "end" : "middle"} range={ranges[one.dimension.key]}
              onDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); setDrag({ key: one.dimension.key, from: yOf(event) }); }}
              onMove={(event) => {
                if (drag?.key !== one.dimension.key) return;
                const y = yOf(event);
                setRanges({ ...ranges, [drag.key]: [Math.min(drag.from, y), Math.max(drag.from, y)] });
              }}
              onUp={(event) => {
                const range = ranges[one.dimension.key];
                setDrag(null);
                if (drag !== null && Math.abs(yOf(event) - drag.from) < 4 && range !== undefined) {
                  setRanges(Object.fromEntries(Object.entries(ranges).filter(([key]) => key !== drag.key)));
                }
              }} />
          ))}
        </svg>
      </div>
    </figure>
  );
}

interface MarksProps {
  laid: Laid;
  side: "start" | "middle" | "end";
  range: [number, number] | undefined;
  onDown: (event: PointerEvent<SVGRectElement>) => void;
  onMove: (event: PointerEvent<SVGRectElement>) => void;
  onUp: (event: PointerEvent<SVGRectElement>) => void;
}

function AxisMarks({ laid, range, onDown, onMove, onUp }: MarksProps) {
  const { dimension, x, axis, kinds } = laid;
  const marks: [string, number][] = axis === null
    ? kinds.map((kind) => [kind, laid.y(kind) ?? 0])
    : marksOf(dimension, axis).map((tick) => [figure(tick), laid.y(tick) ?? 0]);
  return (
    <g>
      <line className="stem" x1={x} x2={x} y1={TOP} y2={HEIGHT - BOTTOM} />
      <text x={x} y={16} textAnchor="middle" className="axis-name"><title>{dimension.name}</title>{short(dimension.name, 15)}</text>
      {marks.map(([text, y]) => <text key={text} x={x + 5} y={y + 4}>{short(text, 11)}</text>)}
      {range !== undefined && <rect className="range" x={x - 7} width={14} y={range[0]} height={Math.max(2, range[1] - range[0])} />}
      <rect className="grip" x={x - 14} width={28} y={TOP} height={HEIGHT - BOTTOM - TOP} onPointerDown={onDown} onPointerMove={onMove} onPointerUp={onUp} />
    </g>
  );
}

/** Where an axis of numbers is marked: at the values themselves where they are few. */
function marksOf(dimension: Dimension, axis: Axis): number[] {
  const known = new Set(dimension.values.filter((value) => value !== null && value !== "").map(Number));
  return known.size <= FEW ? [...known] : axis.ticks;
}

function lay(dimension: Dimension, x: number): Laid {
  const known = dimension.values.filter((value) => value !== null && value !== "");
  const numbers = known.map(Number);
  const place = (part: number) => HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP);
  if (known.length > 0 && numbers.every((value) => Number.isFinite(value))) {
    const axis = axisOf(numbers);
    return { dimension, x, axis, kinds: [], y: (value) => (value === null || value === "" ? null : place(axis.at(Number(value)))) };
  }
  const kinds = kindsOf(known.map(String));
  const y = (value: string | number | null) => {
    const index = value === null ? -1 : kinds.indexOf(String(value));
    return index < 0 ? null : place(kinds.length === 1 ? 0.5 : index / (kinds.length - 1));
  };
  return { dimension, x, axis: null, kinds, y };
}

/** The line of one run; it is broken where the run has no value. */
function path(laid: Laid[], line: number): string {
  let pen = "M";
  let found = "";
  for (const one of laid) {
    const y = one.y(one.dimension.values[line] ?? null);
    if (y === null) {
      pen = "M";
      continue;
    }
    found += `${pen}${one.x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return found;
}

function short(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
