import { expect, it } from "vitest";

import { valueOf, wrongInSecretName } from "./rules";

it("takes names of variables, not the platform's own", () => {
  expect(wrongInSecretName("DB_PASSWORD")).toBeNull();
  for (const wrong of ["", "1A", "a-b", "SMALTI_TOKEN", "mlflow_x", "PYTHONPATH", "A".repeat(129)]) expect(wrongInSecretName(wrong)).not.toBeNull();
});

it("lets one line lose its end, and leaves several as they are", () => {
  expect(valueOf("secret\n")).toBe("secret");
  expect(valueOf("secret\r\n")).toBe("secret");
  expect(valueOf("a\nb\n")).toBe("a\nb\n");
  expect(valueOf("  spaces stay ")).toBe("  spaces stay ");
});
