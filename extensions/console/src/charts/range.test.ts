import { describe, expect, it } from "vitest";

import { axisOf, kindsOf } from "./range";

describe("an axis", () => {
  it("holds all values, and begins at nothing where they do", () => {
    const axis = axisOf([0, 10]);
    expect(axis.low).toBe(0);
    expect(axis.at(10)).toBeLessThan(1);
    expect(axis.ticks).toContain(10);
  });

  it("has room around one value, and stands for none and for what is no number", () => {
    expect(axisOf([5]).at(5)).toBeCloseTo(0.5);
    expect(axisOf([0]).at(0)).toBeCloseTo(0.5);
    expect(axisOf([]).at(0)).toBe(0);
    expect(axisOf([NaN, Infinity, 1, 3]).high).toBeLessThan(4);
  });

  it("goes by powers of ten, without what is not over nothing", () => {
    const axis = axisOf([0.001, 0, -4, 100], true);
    expect([axis.low, axis.high, axis.at(0.001), axis.at(100)]).toEqual([0.001, 100, 0, 1]);
    expect(axis.ticks[0]).toBe(0.001);
  });
});

it("puts kinds into the order that people count in", () => {
  expect(kindsOf(["b10", "b9", "b9"])).toEqual(["b9", "b10"]);
});
