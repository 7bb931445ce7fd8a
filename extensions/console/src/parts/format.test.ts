import { describe, expect, it } from "vitest";

import { ago, bytes, cost, counted, cpus, duration, figure } from "./format";

describe("amounts for people", () => {
  it.each([
    [-3, "0 s"], [0, "0 s"], [0.04, "under 0.1 s"], [0.45, "0.4 s"], [9.99, "9.9 s"], [10, "10 s"], [59.9, "59 s"],
    [60, "1 min"], [425, "7 min 5 s"], [3600, "1 h"], [12_000, "3 h 20 min"], [172_800, "2 d"], [180_000, "2 d 2 h"],
  ])("writes %d seconds as %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  it.each([
    [0, "just now"], [9_999, "just now"], [-5_000, "just now"], [30_000, "30 s ago"], [300_000, "5 min ago"],
    [7_200_000, "2 h ago"], [3 * 86_400_000, "3 d ago"], [90 * 86_400_000, "3 months ago"], [-600_000, "in 10 min"],
  ])("writes %d milliseconds ago as %s", (since, text) => expect(ago(0, since)).toBe(text));

  it.each([
    [0, "0 bytes"], [1023, "1023 bytes"], [1024, "1.0 KiB"], [1536, "1.5 KiB"], [10 * 1024, "10 KiB"],
    [1 << 20, "1.0 MiB"], [5 * 1024 ** 3, "5.0 GiB"], [3000 * 1024 ** 4, "3000 TiB"],
  ])("writes %d bytes as %s", (count, text) => expect(bytes(count)).toBe(text));

  it("counts with a noun", () => {
    expect(counted(1, "job")).toBe("1 job");
    expect(counted(0, "job")).toBe("0 jobs");
    expect(counted(100_000, "entry", "entries")).toBe("100,000 entries");
  });

  it.each([
    [0.1 + 0.2, "0.3"], [12_345, "12,345"], [0.000012345, "1.234e-5"], [1e12, "1.000e+12"], [0, "0"],
    [Number.NaN, "NaN"], [Number.POSITIVE_INFINITY, "Infinity"], [-0.98765432, "-0.98765"],
  ])("writes the metric %d as %s", (value, text) => expect(figure(value)).toBe(text));

  it("writes money and cores", () => {
    expect([cost(0), cost(0.004), cost(12.345)]).toEqual(["0", "under 0.01", "12.35"]);
    expect([cpus(1), cpus(0.5), cpus(2)]).toEqual(["1 CPU", "0.5 CPUs", "2 CPUs"]);
  });
});
