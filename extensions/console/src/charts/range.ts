// From values to places on an axis, straight or by powers of ten. Pure.
import { ticks } from "./scale";

export interface Axis {
  low: number;
  high: number;
  log: boolean;
  /** Where a value stands, from 0 to 1. */
  at: (value: number) => number;
  ticks: number[];
}

/** An axis that holds all values, with a little room; by powers of ten only where all are over 0. */
export function axisOf(values: number[], log = false, wanted = 5): Axis {
  const known = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  let low = known.reduce((least, value) => Math.min(least, value), Infinity);
  let high = known.reduce((most, value) => Math.max(most, value), -Infinity);
  if (!(high >= low)) [low, high] = log ? [1, 10] : [0, 1];
  if (log) return logarithmic(low, high);
  if (high === low) {
    const room = Math.abs(high) * 0.1 || 1;
    [low, high] = [low - room, high + room];
  } else {
    const room = (high - low) * 0.04;
    // An axis that begins at nothing begins there exactly.
    [low, high] = [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
  }
  return { low, high, log: false, at: (value) => (value - low) / (high - low), ticks: ticks(low, high, wanted).filter((tick) => tick >= low && tick <= high) };
}

function logarithmic(low: number, high: number): Axis {
  const from = Math.floor(Math.log10(low) + 1e-9);
  const to = Math.max(Math.ceil(Math.log10(high) - 1e-9), from + 1);
  const step = Math.max(1, Math.ceil((to - from) / 5));
  const found: number[] = [];
  for (let power = from; power <= to; power += step) found.push(Number((10 ** power).toPrecision(12)));
  return { low: 10 ** from, high: 10 ** to, log: true, at: (value) => (Math.log10(value) - from) / (to - from), ticks: found };
}

/** Places of kinds of things on an axis: evenly, in their order. */
export function kindsOf(values: string[], most = 12): string[] {
  return [...new Set(values)].sort((left, right) => left.localeCompare(right, "en", { numeric: true })).slice(0, most);
}
