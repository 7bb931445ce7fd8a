import { expect, it } from "vitest";

import { addressWith, wantedIn } from "./address";
import { NEWEST } from "./table";

it("reads a view from the address, and stands any other text", () => {
  expect(wantedIn(new URLSearchParams("experiment=12&status=FAILED&sort=-metric:loss&view=scatter&filter=x"))).toEqual({
    experiment: "12", status: "FAILED", sort: { by: "metric:loss", up: false }, view: "scatter", text: "x",
  });
  expect(wantedIn(new URLSearchParams("experiment=a'b&status=<b>&sort=-&view=?"))).toEqual({
    experiment: null, status: null, sort: NEWEST, view: "table", text: "",
  });
});

it("changes a part of the address and leaves the others", () => {
  expect(addressWith(new URLSearchParams("a=1&b=2"), { a: null, c: "3" }).toString()).toBe("b=2&c=3");
});
