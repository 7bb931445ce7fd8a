// The colours of curves, from theme.css: eight, then the same ones in dashes.

const LETTERS = ["a", "b", "c", "d", "e", "f", "g", "h"];

/** The classes of the line with this number. */
export function lineClass(index: number): string {
  return `line-${LETTERS[index % LETTERS.length] ?? "a"}${index >= LETTERS.length ? " dashed" : ""}`;
}

export function fillClass(index: number): string {
  return `fill-${LETTERS[index % LETTERS.length] ?? "a"}`;
}

/** One of five steps from little to much, for a value between 0 and 1; -1 for none. */
export function shade(part: number | null): number {
  return part === null ? -1 : Math.min(4, Math.max(0, Math.floor(part * 5)));
}
