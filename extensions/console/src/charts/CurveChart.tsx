// Curves of several runs over one axis; the one under the pointer is told in words.
import { useId, useState, type PointerEvent } from "react";

import { lineClass, fillClass } from "./colours";
import { axisOf } from "./range";
import { nearest, thinned, type Point } from "./scale";
import { useWidth } from "./useWidth";

export interface RunCurve {
  name: string;
  /** Which colour it has, the same in all charts of a page. */
  colour: number;
  points: Point[];
}

interface Props {
  title: string;
  curves: RunCurve[];
  x: (value: number) => string;
  y: (value: number) => string;
  log?: boolean;
}

const HEIGHT = 230;
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 14, 10, 26];

export function CurveChart({ title, curves, x, y, log = false }: Props) {
  const { ref, width } = useWidth();
  const [spot, setSpot] = useState<{ x: number; y: number } | null>(null);
  const id = useId();
  const shown = log ? curves.map((curve) => ({ ...curve, points: curve.points.filter((point) => point.y > 0) })) : curves;
  const all = shown.flatMap((curve) => curve.points);
  const across = axisOf(all.map((point) => point.x), false, width < 420 ? 3 : 6);
  const up = axisOf(all.map((point) => point.y), log);
  const px = (value: number) => LEFT + across.at(value) * (width - LEFT - RIGHT);
  const py = (value: number) => HEIGHT - BOTTOM - up.at(value) * (HEIGHT - BOTTOM - TOP);
  const near = spot === null ? null : closest(shown, spot, px, py, across);
  const move = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setSpot({ x: event.clientX - box.left, y: event.clientY - box.top });
  };
  return (
    <figure className="chart-figure" ref={ref}>
      <figcaption className="row spread small">
        <strong className="wrap">{title}</strong>
        <span className="soft clip">{near === null ? "" : `${near.curve.name}: ${y(near.point.y)} at ${x(near.point.x)}`}</span>
      </figcaption>
      {all.length === 0 ? <p className="soft small">{log ? "No value is over 0, which powers of ten need." : "No values."}</p> : (
        <svg className="chart" width={width} height={HEIGHT} role="img" aria-labelledby={id} onPointerMove={move} onPointerLeave={() => setSpot(null)}>
          <title id={id}>{`${title} of ${curves.length} runs, from ${y(up.low)} to ${y(up.high)}`}</title>
          {up.ticks.map((value) => (
            <g key={value}>
              <line className="axis" x1={LEFT} x2={width - RIGHT} y1={py(value)} y2={py(value)} />
              <text x={LEFT - 8} y={py(value) + 4} textAnchor="end">{y(value)}</text>
            </g>
          ))}
          {across.ticks.map((value) => <text key={value} x={px(value)} y={HEIGHT - 7} textAnchor="middle">{x(value)}</text>)}
          {shown.map((curve) => curve.points.length === 1 && curve.points[0] !== undefined
            ? <circle key={curve.name} r="4" cx={px(curve.points[0].x)} cy={py(curve.points[0].y)} className={fillClass(curve.colour)} />
            : (
              <polyline key={curve.name} className={`curve ${lineClass(curve.colour)}${near !== null && near.curve !== curve ? " faint" : ""}`}
                points={thinned(curve.points, 1200).map((point) => `${px(point.x).toFixed(1)},${py(point.y).toFixed(1)}`).join(" ")} />
            ))}
          {near !== null && <circle r="4.5" cx={px(near.point.x)} cy={py(near.point.y)} className={fillClass(near.curve.colour)} />}
        </svg>
      )}
    </figure>
  );
}

/** The point that is nearest to the pointer, of the curve that passes nearest under it. */
function closest(curves: RunCurve[], spot: { x: number; y: number }, px: (x: number) => number, py: (y: number) => number, across: { low: number; high: number }) {
  const [left, right] = [px(across.low), px(across.high)];
  const wanted = across.low + ((spot.x - left) / Math.max(1, right - left)) * (across.high - across.low);
  let best: { curve: RunCurve; point: Point } | null = null;
  let least = Infinity;
  for (const curve of curves) {
    const point = curve.points[nearest(curve.points, wanted)];
    if (point === undefined) continue;
    const far = Math.hypot(px(point.x) - spot.x, py(point.y) - spot.y);
    if (far < least) [best, least] = [{ curve, point }, far];
  }
  return best;
}
