import { describe, expect, it } from "vitest";

import { matching, type Place } from "../search/places";
import { wrongInName } from "./rules";

describe("a project's name", () => {
  it.each(["a", "wine-quality", "0.x_y", "a".repeat(64)])("%s will do", (name) => expect(wrongInName(name)).toBeNull());
  it.each(["", "A", "-a", "a b", "تجربة", "👩‍🔬", "<b>", "a/b", "a..b", "a.git", "a.lock", "a.", "a".repeat(65), "x".repeat(10_000)])(
    "%s will not", (name) => expect(wrongInName(name)).not.toBeNull());
});

describe("the palette", () => {
  const place = (name: string): Place => ({ key: name, kind: "page", name, note: "", to: "/" });
  it("finds what holds every word", () => {
    const places = ["Hardware tiers", "Data planes", "Failed jobs"].map(place);
    expect(matching(places, "TIERS hard").map((one) => one.name)).toEqual(["Hardware tiers"]);
    expect(matching(places, "")).toHaveLength(3);
    expect(matching(places, "(((")).toEqual([]);
  });
});
