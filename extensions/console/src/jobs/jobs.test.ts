import { beforeEach, describe, expect, it } from "vitest";

import type { Job, Plane, Tier } from "../api/views";
import { bodyOf, choicesOf, remember, variables, words } from "./choices";
import { expected, usual } from "./expected";
import { commandOf, nameOf, quoted } from "./rules";
import { stepsOf } from "./timeline";

beforeEach(() => localStorage.clear());

const BASE = {
  id: "j", number: 1, status: "Running", title: "", file: null, args: [], command: "echo", reason: null, owner: { id: "1", name: "alice" },
  queued_at: "2030-01-01T00:00:00Z", started_at: null, finished_at: null, updated_at: "2030-01-01T00:00:05Z",
};
const job = (more: object) => ({ ...BASE, ...more }) as unknown as Job;

describe("what a job runs", () => {
  it("is written as one would type it", () => {
    expect(commandOf(job({ command: ["echo", "a b", "it's"] }))).toBe(`echo 'a b' 'it'"'"'s'`);
    expect(commandOf(job({ file: "train.py", args: ["--n", "3"] }))).toBe("train.py --n 3");
    expect(commandOf(job({ command: null }))).toBe("");
    expect(quoted("$(rm -rf /)")).toBe("'$(rm -rf /)'");
    expect(nameOf(job({ title: "<b>x</b>" }))).toBe("<b>x</b>");
  });
});

describe("the launcher's words", () => {
  it("are taken apart as a shell does", () => {
    expect(words(`--name "two words" 'it is' a"b c"d \\"x`)).toEqual(["--name", "two words", "it is", "ab cd", '"x']);
    expect(words("it's 5 o'clock x")).toEqual(["its 5 oclock", "x"]);
    expect(words(`it's "" \\`)).toEqual(["it's", "", "\\"]);
    expect(words('"say \\"hi\\""')).toEqual(['say "hi"']);
    expect(words("   ")).toEqual([]);
  });

  it("of variables are lines of NAME=value", () => {
    expect(variables("A=1\n\nB = two=2 \nnothing\n=x")).toEqual({ A: "1", B: " two=2 " });
  });

  it("are remembered for each project, but for title and variables", () => {
    const choices = { ...choicesOf("p", null), what: "python x.py", title: "once", env: "SECRET=1", tier: "small" };
    remember("p", choices);
    expect(choicesOf("p", null)).toEqual({ ...choices, title: "", env: "" });
    expect(choicesOf("q", null).what).toBe("");
    expect(localStorage.getItem("smalti-job-p")).not.toContain("SECRET");
    expect(choicesOf("p", "other.py")).toMatchObject({ kind: "file", what: "other.py", args: "" });
    localStorage.setItem("smalti-job-p", "{");
    expect(choicesOf("p", null).what).toBe("");
  });

  it("become what the API takes", () => {
    const choices = { ...choicesOf("p", null), what: "echo 1", tags: " a, ,b ", minutes: "1,5", retries: "2", title: " t " };
    expect(bodyOf("p", choices)).toEqual({ project_id: "p", command: "echo 1", title: "t", tags: ["a", "b"], env: {}, timeout: 90, retries: 2 });
    expect(bodyOf("p", { ...choices, kind: "file", what: " a.py ", args: "x 'y z'", minutes: " " })).toMatchObject({ file: "a.py", args: ["x", "y z"] });
  });
});

describe("what is to be expected", () => {
  const tier = { cpu: 2, memory: 4 * 1024 ** 3, plane: "local", price_per_hour: 3.6 } as Tier;
  const plane = (used: number, status = "connected") =>
    ({ name: "local", status, capacity: { cpu: 4, memory: 8 * 1024 ** 3 }, used: { cpu: used, memory: 0 } }) as unknown as Plane;
  const done = (seconds: number) => job({
    status: "Succeeded", command: "make", started_at: "2030-01-01T00:00:00Z", finished_at: new Date(Date.UTC(2030, 0, 1) + seconds * 1000).toISOString(),
  });

  it("is the usual time and its price", () => {
    const jobs = [done(10), done(100), done(50), job({ status: "Failed", command: "make" })];
    expect(usual(jobs, " make ")).toBe(50);
    expect(usual(jobs, "other")).toBeNull();
    expect(expected(tier, plane(0), jobs, "make").price).toBeCloseTo(0.05);
  });

  it("is a wait with its reason", () => {
    const wait = (one: Plane | undefined) => expected(tier, one, [], "").wait;
    expect(wait(plane(1))).toContain("at once");
    expect(wait(plane(3))).toContain("2 CPUs, and 1 are free");
    expect(wait(plane(0, "away"))).toContain("is away");
    expect(wait(undefined)).toContain("not known");
    expect(expected({ ...tier, cpu: 64 }, plane(0), [], "").wait).toContain("too small");
  });
});

describe("the steps of a job", () => {
  const names = (one: Job) => stepsOf(one).map((step) => `${step.name}:${step.state}`);

  it("say where it is", () => {
    expect(names(job({ status: "Queued", reason: "waiting for 2 CPUs" }))).toEqual(["Asked for:done", "Waited:now", "Prepared:", "Ran:", "Stores its results:"]);
    expect(stepsOf(job({ status: "Queued", reason: "waiting for 2 CPUs" }))[1]?.words).toBe("waiting for 2 CPUs");
    expect(names(job({ started_at: BASE.queued_at }))).toEqual(["Asked for:done", "Waited:done", "Prepared:done", "Ran:now", "Stores its results:"]);
    expect(names(job({ status: "Finishing", started_at: BASE.queued_at }))[4]).toBe("Stores its results:now");
  });

  it("end as it ended", () => {
    const end = { started_at: BASE.queued_at, finished_at: BASE.updated_at };
    expect(names(job({ status: "Failed", ...end })).at(-1)).toBe("Failed:wrong");
    expect(names(job({ status: "Succeeded", ...end })).at(-1)).toBe("Succeeded:done");
    expect(names(job({ status: "Stopped", finished_at: BASE.updated_at }))).toEqual(["Asked for:done", "Waited:done", "Stopped:done"]);
  });
});
