import { describe, expect, it } from "vitest";

import { nearest, thinned, ticks, type Point } from "./scale";

describe("the values at an axis", () => {
  it("are round and within it", () => {
    expect(ticks(0, 10)).toEqual([0, 2.5, 5, 7.5, 10]);
    expect(ticks(0, 1)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(ticks(0, 4096, 4, true)).toEqual([0, 1024, 2048, 3072, 4096]);
    expect(ticks(3, 3)).toEqual([3]);
    expect(ticks(0, Number.NaN)).toEqual([0]);
  });
});

describe("a curve of many points", () => {
  const points = Array.from({ length: 100_000 }, (_, x): Point => ({ x, y: x === 54_321 ? 1000 : Math.sin(x) }));

  it("keeps its peaks when it is thinned, and its order", () => {
    const few = thinned(points, 500);
    expect(few.length).toBeLessThanOrEqual(500);
    expect(Math.max(...few.map((point) => point.y))).toBe(1000);
    expect(few.every((point, index) => index === 0 || point.x > (few[index - 1]?.x ?? 0))).toBe(true);
    expect(thinned(points.slice(0, 10), 500)).toHaveLength(10);
  });

  it("knows its nearest point", () => {
    const some: Point[] = [{ x: 0, y: 0 }, { x: 10, y: 0 }, { x: 11, y: 0 }];
    expect([-5, 4, 6, 10.4, 99].map((x) => nearest(some, x))).toEqual([0, 0, 1, 1, 2]);
    expect(nearest([], 3)).toBe(0);
  });
});
