// Curves over an axis, drawn as SVG: no library, no styles added by scripts, readable as text.
import { useId, useState, type PointerEvent } from "react";

import { nearest, thinned, ticks, type Point } from "./scale";
import { useWidth } from "./useWidth";

export interface Curve {
  name: string;
  points: Point[];
}

interface Props {
  title: string;
  curves: Curve[];
  x: (value: number) => string;
  y: (value: number) => string;
  binary?: boolean;
  /** The lowest top of the y axis. */
  least?: number;
  /** How far the x axis goes at least; it begins at 0. */
  until?: number;
}

const HEIGHT = 220;
const LEFT = 66;
const BOTTOM = 24;
const TOP = 10;
const RIGHT = 12;
const LETTERS = ["a", "b", "c", "d"];

export function LineChart({ title, curves, x, y, binary = false, least = 0, until = 0 }: Props) {
  const { ref, width } = useWidth();
  const [cursor, setCursor] = useState<number | null>(null);
  const id = useId();
  const all = curves.flatMap((curve) => curve.points);
  if (all.length === 0) return null;
  const xs = all.map((point) => point.x);
  const [from, to] = [Math.min(0, min(xs)), Math.max(max(xs), until, 1e-9)];
  const top = Math.max(max(all.map((point) => point.y)), least) * 1.08 || 1;
  const bottom = Math.min(0, min(all.map((point) => point.y)));
  const px = (value: number) => LEFT + ((value - from) / (to - from)) * (width - LEFT - RIGHT);
  const py = (value: number) => HEIGHT - BOTTOM - ((value - bottom) / (top - bottom)) * (HEIGHT - BOTTOM - TOP);
  const move = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const at = event.clientX - box.left;
    setCursor(from + ((at - LEFT) / (width - LEFT - RIGHT)) * (to - from));
  };
  const told = curves.map((curve) => ({ curve, point: curve.points[cursor === null ? curve.points.length - 1 : nearest(curve.points, cursor)] }));
  return (
    <figure className="chart-figure" ref={ref}>
      <figcaption className="row spread small">
        <strong>{title}</strong>
        <span className="row tight soft">
          {told.map(({ curve, point }, index) => point !== undefined && (
            <span key={curve.name} className="row tight nowrap">
              {curves.length > 1 && <svg width="10" height="10" aria-hidden="true"><circle cx="5" cy="5" r="5" className={`fill-${LETTERS[index % 4] ?? "a"}`} /></svg>}
              {curves.length > 1 && `${curve.name} `}{y(point.y)} at {x(point.x)}
            </span>
          ))}
        </span>
      </figcaption>
      <svg className="chart" width={width} height={HEIGHT} role="img" aria-labelledby={id}
        onPointerMove={move} onPointerLeave={() => setCursor(null)}>
        <title id={id}>{summary(title, curves, y)}</title>
        {ticks(bottom, top, 4, binary).map((value) => (
          <g key={value}>
            <line className="axis" x1={LEFT} x2={width - RIGHT} y1={py(value)} y2={py(value)} />
            <text x={LEFT - 8} y={py(value) + 4} textAnchor="end">{y(value)}</text>
          </g>
        ))}
        {ticks(from, to, width < 420 ? 3 : 5).map((value) => (
          <text key={value} x={px(value)} y={HEIGHT - 6} textAnchor="middle">{x(value)}</text>
        ))}
        {curves.map((curve, index) => (
          <polyline key={curve.name} className={`curve line-${LETTERS[index % 4] ?? "a"}`}
            points={thinned(curve.points, 1200).map((point) => `${px(point.x).toFixed(1)},${py(point.y).toFixed(1)}`).join(" ")} />
        ))}
        {curves.map((curve, index) => curve.points.length === 1 && curve.points[0] !== undefined && (
          <circle key={curve.name} r="4" cx={px(curve.points[0].x)} cy={py(curve.points[0].y)} className={`fill-${LETTERS[index % 4] ?? "a"}`} />
        ))}
        {cursor !== null && told[0]?.point !== undefined && (
          <line className="cross" x1={px(told[0].point.x)} x2={px(told[0].point.x)} y1={TOP} y2={HEIGHT - BOTTOM} />
        )}
      </svg>
    </figure>
  );
}

function summary(title: string, curves: Curve[], y: (value: number) => string): string {
  const parts = curves.map((curve) => {
    const values = curve.points.map((point) => point.y);
    return `${curve.name}: from ${y(min(values))} to ${y(max(values))}`;
  });
  return `${title}. ${parts.join("; ")}`;
}

// Not Math.min(...values): a long list does not fit into the arguments of one call.
function min(values: number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Infinity);
}

function max(values: number[]): number {
  return values.reduce((most, value) => Math.max(most, value), -Infinity);
}
