import { describe, expect, it } from "vitest";

import { plain } from "./ansi";
import { Lines, search } from "./lines";

const bytes = (text: string) => new TextEncoder().encode(text);

function all(lines: Lines): string[] {
  return Array.from({ length: lines.count }, (_, index) => lines.at(index));
}

describe("lines of a log", () => {
  it("are the same, however the bytes come in", () => {
    const whole = bytes("one\n\ntwo é 実験 👩‍🔬\nthree");
    for (let size = 1; size <= whole.length; size += 1) {
      const lines = new Lines();
      for (let at = 0; at < whole.length; at += size) lines.add(whole.subarray(at, at + size));
      expect(all(lines)).toEqual(["one", "", "two é 実験 👩‍🔬", "three"]);
      expect(lines.offset).toBe(whole.length);
    }
  });

  it("let the last one grow", () => {
    const lines = new Lines();
    lines.add(bytes("a"));
    expect(all(lines)).toEqual(["a"]);
    lines.add(bytes("b\n"));
    expect(all(lines)).toEqual(["ab"]);
    lines.add(bytes("\n"));
    expect(all(lines)).toEqual(["ab", ""]);
  });

  it("tell who watches, but not of nothing", () => {
    const lines = new Lines();
    let told = 0;
    const stop = lines.watch(() => (told += 1));
    lines.add(bytes(""));
    expect([told, lines.version]).toEqual([0, 0]);
    lines.add(bytes("x"));
    stop();
    lines.add(bytes("y"));
    expect([told, lines.version]).toEqual([1, 2]);
  });

  it("take noise as it is", () => {
    const lines = new Lines();
    lines.add(Uint8Array.from({ length: 4096 }, (_, index) => index % 256));
    expect(lines.count).toBeGreaterThan(15);
    expect(lines.offset).toBe(4096);
  });

  it("are found in any case of letters, by what is seen of them", () => {
    const lines = new Lines();
    lines.add(bytes("\x1b[31mEr\x1b[0mror one\nfine\nERROR two\n"));
    expect(search(lines, "error", plain)).toEqual([0, 2]);
    expect(search(lines, "", plain)).toEqual([]);
    expect(search(lines, "31m", plain)).toEqual([]);
  });

  it("are quick to take and to search by the hundred thousand", () => {
    const lines = new Lines();
    const text = Array.from({ length: 100_000 }, (_, index) => `line ${index} of a long log`).join("\n");
    lines.add(bytes(text));
    expect(lines.count).toBe(100_000);
    expect(search(lines, "line 99999", plain)).toEqual([99_999]);
  });
});
