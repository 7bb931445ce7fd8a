// The numbers of a chart: where a value stands, and which values stand at the axis. Pure.

export interface Point {
  x: number;
  y: number;
}

/** Round values for an axis from 0 (or the smallest) to the largest, about `wanted` of them. */
export function ticks(low: number, high: number, wanted = 4, binary = false): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / wanted;
  const base = binary ? 2 ** Math.floor(Math.log2(rough)) : 10 ** Math.floor(Math.log10(rough));
  const steps = binary ? [1, 2] : [1, 2, 2.5, 5, 10];
  const step = base * (steps.find((one) => base * one >= rough) ?? steps.at(-1) ?? 1);
  const found: number[] = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) {
    found.push(Number(value.toPrecision(12)));
  }
  return found;
}

/** Leaves at most `most` points, keeping the smallest and the largest of each stretch. */
export function thinned(points: Point[], most: number): Point[] {
  if (points.length <= most) return points;
  const size = Math.ceil((points.length * 2) / most);
  const found: Point[] = [];
  for (let start = 0; start < points.length; start += size) {
    const part = points.slice(start, start + size);
    let low = part[0];
    let high = part[0];
    for (const point of part) {
      if (low === undefined || point.y < low.y) low = point;
      if (high === undefined || point.y > high.y) high = point;
    }
    if (low === undefined || high === undefined) continue;
    found.push(...(low === high ? [low] : low.x < high.x ? [low, high] : [high, low]));
  }
  return found;
}

/** The index of the point nearest to an x; points are in the order of x. */
export function nearest(points: Point[], x: number): number {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.x ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const before = points[low - 1];
  const here = points[low];
  if (before !== undefined && here !== undefined && x - before.x < here.x - x) return low - 1;
  return Math.max(0, low);
}
