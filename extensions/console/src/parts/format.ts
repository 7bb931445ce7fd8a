// How amounts are written for people. Pure.

/** Writes a length of time: 0.4 s, 42 s, 7 min 5 s, 3 h 20 min, 5 d 2 h. */
export function duration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s > 0 && s < 0.1) return "under 0.1 s";
  if (s < 10) return `${(Math.floor(s * 10) / 10).toString()} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return two(s, 60, "min", 1, "s");
  if (s < 48 * 3600) return two(s, 3600, "h", 60, "min");
  return two(s, 86_400, "d", 3600, "h");
}

function two(s: number, large: number, largeName: string, small: number, smallName: string) {
  const first = Math.floor(s / large);
  const rest = Math.floor((s % large) / small);
  return rest === 0 ? `${first} ${largeName}` : `${first} ${largeName} ${rest} ${smallName}`;
}

/** Writes how long ago something was: just now, 5 min ago, 3 d ago. */
export function ago(then: number, now: number): string {
  const s = (now - then) / 1000;
  if (s < -60) return `in ${coarse(-s)}`;
  if (s < 10) return "just now";
  return `${coarse(s)} ago`;
}

function coarse(s: number): string {
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)} h`;
  if (s < 60 * 86_400) return `${Math.floor(s / 86_400)} d`;
  return `${Math.floor(s / (30 * 86_400))} months`;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"];

/** Writes a number of bytes in binary units. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 ? value.toString() : value.toFixed(value < 10 ? 1 : 0);
  return `${text} ${UNITS[unit] ?? ""}`;
}

/** Writes a count with its noun: 1 job, 2 jobs. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** Writes a number of a metric: short, and never with false precision. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e9) ? value.toExponential(3) : String(Number(value.toPrecision(5)));
}

/** Writes an amount of money without a currency: the platform knows none. */
export function cost(value: number): string {
  return value === 0 ? "0" : value < 0.01 ? "under 0.01" : value.toFixed(2);
}

/** Writes cores: 0.5 CPUs, 1 CPU. */
export function cpus(count: number): string {
  return `${Number(count.toFixed(2))} ${count === 1 ? "CPU" : "CPUs"}`;
}

/** Writes an exact time where the reader is. */
export function exact(time: string): string {
  return new Date(time).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "long" });
}
