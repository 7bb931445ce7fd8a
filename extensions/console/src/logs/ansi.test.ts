import { describe, expect, it } from "vitest";

import { plain, spans, visible } from "./ansi";

describe("what a line of a log looks like", () => {
  it("has its colours as names of classes", () => {
    expect(spans("a \x1b[1;32mgreen\x1b[0m b")).toEqual([
      { text: "a ", style: "" }, { text: "green", style: "a-bold a-2" }, { text: " b", style: "" },
    ]);
    expect(spans("\x1b[91mred\x1b[39mplain")).toEqual([{ text: "red", style: "a-1" }, { text: "plain", style: "" }]);
    expect(spans("\x1b[38;5;200mpink\x1b[38;2;1;2;3mrgb")).toEqual([{ text: "pink", style: "" }, { text: "rgb", style: "" }]);
  });

  it("has nothing left of other codes", () => {
    expect(plain("\x1b]0;title\x07a\x1b[2Kb\x1b[10;5Hc\x1b(Bd")).toBe("abc(Bd".replace("(B", "(B"));
    expect(plain("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\")).toBe("link");
  });

  it("is what stands after the last carriage return, as in a terminal", () => {
    expect(visible("10 %\r50 %\r100 %")).toBe("100 %");
    expect(visible("from windows\r")).toBe("from windows");
  });

  it("shows what is no text as marks", () => {
    expect(visible("a\x00\x07b\x7f")).toBe("a\u00b7\u00b7b\u00b7");
    expect(visible("tab\there")).toBe("tab\there");
  });

  it("never holds markup but as text", () => {
    const nasty = "<img src=x onerror=alert(1)>\x1b[31m<script>";
    expect(spans(nasty).map((span) => span.text).join("")).toBe("<img src=x onerror=alert(1)><script>");
    for (const span of spans("\x1b[31;\"><script>mx")) expect(span.style).toMatch(/^(a-[a-z0-9]+ ?)*$/);
  });

  it("is cut when it is very long, with and without colours", () => {
    for (const start of ["", "\x1b[31m"]) {
      const shown = spans(start + "x".repeat(1_000_000)).map((span) => span.text).join("");
      expect(shown.length).toBeLessThan(6000);
      expect(shown).toContain("download the log");
    }
  });
});
