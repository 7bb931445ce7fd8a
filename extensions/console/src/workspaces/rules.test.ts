import { describe, expect, it } from "vitest";

import type { WorkspaceStatus } from "../api/views";
import { againstUsual, endsSoon, kept, opens, startedSince, starts, startSteps, stops, wrongInWorkspaceName } from "./rules";

const state = (status: WorkspaceStatus, target: "running" | "stopped", more = {}) => ({ status, target, url: "http://x/", deleted_at: null, ...more });

describe("what can be done", () => {
  it("follows from where it is and where it goes", () => {
    expect(opens(state("Running", "running"))).toBe(true);
    expect(opens(state("Running", "stopped"))).toBe(false);
    expect(opens(state("Running", "running", { url: null }))).toBe(false);
    expect(opens(state("Preparing", "running"))).toBe(false);
    expect(starts(state("Stopped", "stopped"))).toBe(true);
    expect(starts(state("Stopped", "stopped", { deleted_at: "2026-01-01T00:00:00Z" }))).toBe(false);
    expect(stops(state("Queued", "running"))).toBe(true);
  });
});

describe("the end for want of activity", () => {
  const now = Date.parse("2026-01-01T10:00:00Z");
  it("is told some minutes before", () => {
    expect(endsSoon({ status: "Running", ends_at: "2026-01-01T10:09:00Z" }, now)).toBe(Date.parse("2026-01-01T10:09:00Z"));
    expect(endsSoon({ status: "Running", ends_at: "2026-01-01T10:50:00Z" }, now)).toBeNull();
    expect(endsSoon({ status: "Stopped", ends_at: "2026-01-01T10:01:00Z" }, now)).toBeNull();
  });
  it("does not come while a lease holds", () => {
    expect(kept({ keep_until: "2026-01-01T11:00:00Z" }, now)).toBe(true);
    expect(kept({ keep_until: "2026-01-01T09:00:00Z" }, now)).toBe(false);
  });
});

describe("a start", () => {
  it("has steps, the present one with its reason", () => {
    const steps = startSteps({ status: "Queued", reason: "waiting for 1 CPU" });
    expect(steps.map((step) => step.state)).toEqual(["done", "now", "", ""]);
    expect(steps[1]?.words).toBe("waiting for 1 CPU");
    expect(startSteps({ status: "Running", reason: null })).toEqual([]);
    expect(startSteps({ status: "Stopped", reason: null })).toEqual([]);
  });
  it("is reckoned from when it was asked for", () => {
    expect(startedSince({ status: "Starting", started_at: "a", updated_at: "b" })).toBe("b");
    expect(startedSince({ status: "Queued", started_at: "a", updated_at: "b" })).toBe("a");
  });
  it("is held against the usual time", () => {
    expect(againstUsual(3, null)).toBe("");
    expect(againstUsual(3, 6.2)).toBe("usually about 6 s");
    expect(againstUsual(8, 6)).toContain("a little longer");
    expect(againstUsual(60, 6)).toBe("longer than usual (6 s)");
  });
});

it("refuses names that the hub would not take", () => {
  expect(wrongInWorkspaceName("")).toBeNull();
  expect(wrongInWorkspaceName("my-lab2")).toBeNull();
  for (const wrong of ["2lab", "My", "a--b", "a-", "x".repeat(31)]) expect(wrongInWorkspaceName(wrong)).not.toBeNull();
});
