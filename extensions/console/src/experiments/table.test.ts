import { describe, expect, it } from "vitest";

import type { RawRun } from "./mlflow";
import { columnsOf, environmentName, filterOf, inOrder, isNumeric, orderBy, runOf, usualColumns, type Column, type Run } from "./table";

function raw(id: string, params: Record<string, string>, metrics: Record<string, number | string> = {}): RawRun {
  return {
    info: { run_id: id, run_name: `run ${id}`, experiment_id: "1", status: "FINISHED", start_time: 1000, end_time: 3000 },
    data: {
      params: Object.entries(params).map(([key, value]) => ({ key, value })),
      metrics: Object.entries(metrics).map(([key, value]) => ({ key, value })),
      tags: [{ key: "smalti.job_id", value: "j1" }, { key: "smalti.commit", value: "c0ffee" }, { key: "mlflow.user", value: "ada" }, { key: "team", value: "blue" }],
    },
  };
}

const run = (id: string, params: Record<string, string>, metrics: Record<string, number | string> = {}): Run => runOf(raw(id, params, metrics));
const loss: Column = { kind: "metric", name: "loss" };
const depth: Column = { kind: "param", name: "depth" };

describe("a run", () => {
  it("has where it comes from apart from its own tags", () => {
    const one = run("a", {});
    expect([one.status, one.jobId, one.commit, [...one.tags]]).toEqual(["Succeeded", "j1", "c0ffee", [["team", "blue"]]]);
  });

  it("keeps values that JSON has no numbers for", () => {
    expect(run("a", {}, { loss: "NaN" }).metrics.get("loss")).toBeNaN();
  });
});

describe("columns", () => {
  const runs = [run("a", { depth: "2", same: "x" }, { loss: 1 }), run("b", { depth: "10", same: "x" }, { loss: 2, extra: 3 })];

  it("are parameters, then metrics, by name", () => {
    expect(columnsOf(runs).map((column) => column.name)).toEqual(["depth", "same", "extra", "loss"]);
  });

  it("that differ are shown before others", () => {
    expect(usualColumns(runs, columnsOf(runs), 1).map((column) => column.name)).toEqual(["depth", "extra"]);
  });

  it("are numbers only where every value is one", () => {
    expect(isNumeric(runs, depth)).toBe(true);
    expect(isNumeric(runs, { kind: "param", name: "same" })).toBe(false);
    expect(isNumeric(runs, { kind: "param", name: "absent" })).toBe(false);
  });
});

describe("order", () => {
  it("is asked of MLflow with names quoted", () => {
    expect(orderBy({ by: "metric:val loss", up: true })[0]).toBe("metrics.`val loss` ASC");
    expect(orderBy({ by: "started", up: false })).toEqual(["attributes.start_time DESC"]);
    expect(orderBy({ by: "param:a`b", up: false })[0]).toBe("params.`ab` DESC");
  });

  it("of parameters that are numbers is by number, those without one last", () => {
    const runs = [run("a", { depth: "10" }), run("b", {}), run("c", { depth: "9" })];
    expect(inOrder(runs, { by: "param:depth", up: true }).map((one) => one.id)).toEqual(["c", "a", "b"]);
    expect(inOrder(runs, { by: "param:depth", up: false }).map((one) => one.id)).toEqual(["a", "c", "b"]);
  });
});

describe("a filter", () => {
  const known = [loss, depth];

  it("of words looks for a part of a name", () => {
    expect(filterOf("deep one", known, null)).toBe("attributes.run_name ILIKE '%deep one%'");
    expect(filterOf("it's", known, null)).toBe("attributes.run_name ILIKE '%it''s%'");
  });

  it("finds out whose a name is", () => {
    expect(filterOf("loss < 0.4 and depth = 5", known, null)).toBe("metrics.`loss` < 0.4 AND params.`depth` = '5'");
    expect(filterOf("optimizer != 'adam'", known, "FINISHED")).toBe("attributes.status = 'FINISHED' AND params.`optimizer` != 'adam'");
  });

  it("takes MLflow's own words", () => {
    expect(filterOf("metrics.`val loss` >= 1", known, null)).toBe("metrics.`val loss` >= 1");
    expect(filterOf("tags.team = \"blue\"", known, null)).toBe("tags.`team` = 'blue'");
    expect(filterOf("attributes.start_time > 5", known, null)).toBe("attributes.start_time > 5");
  });

  it("cannot leave its quotes", () => {
    expect(filterOf("optimizer = x' OR 1=1", known, null)).toBe("params.`optimizer` = 'x'' OR 1=1'");
  });
});

it("writes an environment in words", () => {
  expect(environmentName("default/3@a979cb")).toBe("default, revision 3");
  expect(environmentName("something else")).toBe("something else");
});
