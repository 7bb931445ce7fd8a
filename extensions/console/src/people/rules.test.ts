import { expect, it } from "vitest";

import { wrongInAccountName } from "./rules";

it("takes the names that the hub takes", () => {
  for (const name of ["a", "nora", "n.o-r_a", "7of9", "x".repeat(63)]) expect(wrongInAccountName(name)).toBeNull();
  for (const name of ["", "Nora", ".nora", "-nora", "no ra", "n/ora", "نورا", "<b>", "x".repeat(64)]) expect(wrongInAccountName(name)).not.toBeNull();
});
