// Runs as dots: one value across, one up, a third one as the colour.
import { useId, useState } from "react";

import { shade } from "./colours";
import { ShadeKey } from "./ShadeKey";
import { axisOf } from "./range";
import { useWidth } from "./useWidth";

export interface Dot {
  id: string;
  name: string;
  x: number;
  y: number;
  colour: number | null;
}

interface Props {
  dots: Dot[];
  xName: string;
  yName: string;
  colourName: string | null;
  write: (value: number) => string;
  onPick: (id: string) => void;
}

const HEIGHT = 340;
const [LEFT, RIGHT, TOP, BOTTOM] = [66, 18, 14, 44];

export function ScatterChart({ dots, xName, yName, colourName, write, onPick }: Props) {
  const { ref, width } = useWidth();
  const [over, setOver] = useState<string | null>(null);
  const id = useId();
  const across = axisOf(dots.map((dot) => dot.x), false, width < 420 ? 3 : 6);
  const up = axisOf(dots.map((dot) => dot.y));
  const hue = axisOf(dots.flatMap((dot) => (dot.colour === null ? [] : [dot.colour])));
  const px = (value: number) => LEFT + across.at(value) * (width - LEFT - RIGHT);
  const py = (value: number) => HEIGHT - BOTTOM - up.at(value) * (HEIGHT - BOTTOM - TOP);
  const told = dots.find((dot) => dot.id === over);
  return (
    <figure className="chart-figure" ref={ref}>
      <figcaption className="row spread small">
        {colourName === null ? <span /> : <ShadeKey name={colourName} />}
        <span className="soft clip">{told === undefined ? "" : `${told.name}: ${write(told.x)}, ${write(told.y)}`}</span>
      </figcaption>
      <svg className="chart scatter" width={width} height={HEIGHT} role="img" aria-labelledby={id}>
        <title id={id}>{`${dots.length} runs: ${yName} against ${xName}`}</title>
        {up.ticks.map((value) => (
          <g key={value}>
            <line className="axis" x1={LEFT} x2={width - RIGHT} y1={py(value)} y2={py(value)} />
            <text x={LEFT - 8} y={py(value) + 4} textAnchor="end">{write(value)}</text>
          </g>
        ))}
        {across.ticks.map((value) => (
          <g key={value}>
            <line className="axis" x1={px(value)} x2={px(value)} y1={TOP} y2={HEIGHT - BOTTOM} />
            <text x={px(value)} y={HEIGHT - BOTTOM + 17} textAnchor="middle">{write(value)}</text>
          </g>
        ))}
        <text x={(LEFT + width - RIGHT) / 2} y={HEIGHT - 6} textAnchor="middle" className="axis-name">{xName}</text>
        {dots.map((dot) => (
          <circle key={dot.id} r={dot.id === over ? 7 : 5} cx={px(dot.x)} cy={py(dot.y)} className={`dot shade-${colourName === null ? "plain" : shade(dot.colour === null ? null : hue.at(dot.colour))}`}
            onPointerEnter={() => setOver(dot.id)} onPointerLeave={() => setOver(null)} onClick={() => onPick(dot.id)} />
        ))}
      </svg>
    </figure>
  );
}
