import { describe, expect, it } from "vitest";

import { rowsOf } from "./csv";
import { imageSize } from "./imageSize";
import { endingOf, looksBinary, wayOf } from "./kinds";
import { cellsOf } from "./notebook";

describe("comma-separated values", () => {
  it("are read with quotes, separators and line breaks in them", () => {
    expect(rowsOf('a,b\r\n"x, y","say ""hi""\nthere"\n')).toEqual([["a", "b"], ["x, y", 'say "hi"\nthere']]);
    expect(rowsOf("a\tb\n", "\t")).toEqual([["a", "b"]]);
    expect(rowsOf("")).toEqual([]);
    expect(rowsOf("a,,\n,")).toEqual([["a", "", ""], ["", ""]]);
    expect(rowsOf('"never ends')).toEqual([["never ends"]]);
  });
});

describe("the size of a picture", () => {
  const ascii = (text: string) => Array.from(text, (letter) => letter.charCodeAt(0));
  const filled = (start: number[], length: number) => Uint8Array.from([...start, ...new Array<number>(length).fill(0)]);

  it("is read before the picture is unpacked", () => {
    const png = filled([0x89, ...ascii("PNG\r\n\x1a\n"), 0, 0, 0, 13, ...ascii("IHDR"), 0, 0, 0xc3, 0x50, 0, 0, 0xc3, 0x50], 8);
    expect(imageSize(png)).toEqual({ width: 50_000, height: 50_000 });
    expect(imageSize(filled([...ascii("GIF89a"), 0xff, 0xff, 1, 0], 4))).toEqual({ width: 65_535, height: 1 });
    const jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 17, 8, 0x75, 0x30, 0x75, 0x31];
    expect(imageSize(filled(jpeg, 12))).toEqual({ width: 30_001, height: 30_000 });
  });

  it("is null for what is cut off or something else", () => {
    for (const bytes of [[], [0xff, 0xd8], ascii("GIF"), ascii("RIFF"), ascii("hello there, this is no picture at all")]) {
      expect(imageSize(Uint8Array.from(bytes))).toBeNull();
    }
  });
});

describe("how a file is shown", () => {
  it.each([["a/b.PNG", "image"], ["x.ipynb", "notebook"], ["t.tsv", "csv"], ["README.md", "markdown"], ["Makefile", "text"], [".env", "text"]])(
    "%s as %s", (name, kind) => expect(wayOf(name)?.kind).toBe(kind),
  );

  it("not at all for what has no picture", () => {
    expect(wayOf("model.pkl")).toBeNull();
    expect(endingOf("a.b/c")).toBe("");
  });

  it("as no text when its bytes are none", () => {
    expect(looksBinary(Uint8Array.from([65, 0, 66]))).toBe(true);
    expect(looksBinary(new Uint8Array(5000).map((_, index) => 128 + (index % 64)))).toBe(true);
    expect(looksBinary(new TextEncoder().encode("تجربة 👩‍🔬 実験\n".repeat(2000)))).toBe(false);
    expect(looksBinary(new Uint8Array(0))).toBe(false);
  });
});

describe("a notebook", () => {
  it("is read in whatever shape its parts have", () => {
    const cells = cellsOf(JSON.stringify({ cells: [
      { cell_type: "code", execution_count: 3, source: ["a\n", "b"], outputs: [
        { output_type: "stream", name: "stderr", text: ["x", "y"] },
        { output_type: "error", ename: "E", evalue: "v", traceback: [] },
        { output_type: "display_data", data: { "text/html": "<b>1</b>", "text/plain": "1" } },
        { output_type: "display_data", data: { "image/png": "aGk=", "text/plain": "1" } },
        "nonsense", null, { output_type: "display_data" },
      ] },
      { cell_type: 7, source: 5 }, null,
    ] }));
    expect(cells?.[0]).toEqual({ kind: "code", count: 3, source: "a\nb", outputs: [
      { kind: "text", text: "xy", bad: true }, { kind: "text", text: "E: v", bad: true },
      { kind: "html", html: "<b>1</b>" }, { kind: "image", type: "image/png", data: "aGk=" },
    ] });
    expect(cells?.slice(1)).toEqual([1, 2].map(() => ({ kind: "code", count: null, source: "", outputs: [] })));
  });

  it("is null where it is none", () => {
    for (const text of ["", "{", "[]", '{"cells": 3}', "null"]) expect(cellsOf(text)).toBeNull();
  });
});
