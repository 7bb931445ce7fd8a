import { expect, it } from "vitest";

import { wrongInAlias } from "./rules";

it("takes the aliases that MLflow takes", () => {
  expect(wrongInAlias("champion")).toBeNull();
  for (const wrong of ["", "a b", "latest", "v1", "a/b"]) expect(wrongInAlias(wrong)).not.toBeNull();
});
