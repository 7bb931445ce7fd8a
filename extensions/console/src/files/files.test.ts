import { beforeEach, describe, expect, it, vi } from "vitest";

import { fileAddress } from "./address";
import { classOf } from "./DiffView";
import { draftOf, dropDraft, keepDraft } from "./drafts";
import { contentAddress } from "./queries";

beforeEach(() => {
  localStorage.clear();
  vi.useRealTimers();
});

describe("addresses of files", () => {
  it("hold any letter of a name", () => {
    expect(fileAddress("p", "a b/c?d#e%.py", null)).toBe("/projects/p/files/a%20b/c%3Fd%23e%25.py");
    expect(fileAddress("p", "", "feature/x&y", { edit: "" })).toBe("/projects/p/files/?ref=feature%2Fx%26y&edit=");
    expect(fileAddress("p", "تجربة/👩‍🔬.txt", null).split("/").length).toBe(6);
  });

  it("of their content do as well", () => {
    expect(contentAddress("p", "a b/../c?.py", "x&y")).toContain("a%20b/");
    expect(contentAddress("p", "c?d#e.py", "x&y")).not.toMatch(/#|\?.*\?/);
  });
});

describe("a draft", () => {
  it("is kept, given back and dropped", () => {
    keepDraft("p/a", "text");
    expect([draftOf("p/a"), draftOf("p/b")]).toEqual(["text", null]);
    dropDraft("p/a");
    expect(draftOf("p/a")).toBeNull();
  });

  it("is forgotten after a week, and a very long one is not kept", () => {
    vi.useFakeTimers();
    keepDraft("old", "text");
    vi.advanceTimersByTime(8 * 86_400_000);
    expect(draftOf("old")).toBeNull();
    keepDraft("long", "x".repeat(2 << 20));
    expect(draftOf("long")).toBeNull();
  });

  it("that something else wrote is none", () => {
    localStorage.setItem("smalti-draft:x", "{");
    expect(draftOf("x")).toBeNull();
  });
});

describe("a line of a patch", () => {
  it.each([["+++ b/x", "head"], ["--- a/x", "head"], ["@@ -1 +1 @@", "hunk"], ["+new", "add"], ["-old", "del"], [" same", ""], ["", ""]])(
    "%s is %s", (line, kind) => expect(classOf(line)).toBe(kind));
});
