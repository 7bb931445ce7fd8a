import { beforeEach, expect, it } from "vitest";

import { bodyOf, choicesOf, remember } from "./choices";

beforeEach(() => localStorage.clear());

it("leaves what was not chosen to the project", () => {
  expect(bodyOf("p", choicesOf("p"))).toEqual({ project_id: "p", tool: "jupyterlab" });
});

it("remembers choices for each project, and no names", () => {
  remember("p", { ...choicesOf("p"), name: "lab", title: "Lab", tier: "large", branch: "dev" });
  expect(choicesOf("p")).toMatchObject({ name: "", title: "", tier: "large", branch: "dev" });
  expect(choicesOf("q").tier).toBeNull();
});

it("stands a store that holds something else", () => {
  localStorage.setItem("smalti-workspace-p", "not JSON");
  expect(choicesOf("p").tier).toBeNull();
});

it("writes a title as the platform takes it", () => {
  expect(bodyOf("p", { ...choicesOf("p"), title: "  My   lab " })).toMatchObject({ title: "My lab" });
});
