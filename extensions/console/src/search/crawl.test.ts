import { expect, it } from "vitest";

import { crawl, type Found } from "./crawl";

const TREE: Record<string, Found[]> = {
  "": [{ path: "a", type: "directory" }, { path: "README.md", type: "file" }, { path: "b", type: "directory" }],
  a: [{ path: "a/one.py", type: "file" }, { path: "a/deep", type: "directory" }],
  b: [{ path: "b/two.py", type: "file" }],
  "a/deep": [{ path: "a/deep/three.py", type: "file" }],
};
const list = (folder: string) => Promise.resolve(TREE[folder] ?? []);

it("names all files, those near the root first", async () => {
  expect(await crawl(list)).toEqual(["README.md", "a/one.py", "b/two.py", "a/deep/three.py"]);
});

it("keeps its bounds", async () => {
  expect(await crawl(list, 2)).toEqual(["README.md", "a/one.py"]);
  expect(await crawl(list, 30, 1)).toEqual(["README.md"]);
});
