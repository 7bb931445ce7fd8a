import { afterEach, describe, expect, it, vi } from "vitest";

import { API, client, ok, raw } from "./client";
import { ApiError, awayError, errorOf, sentence, wordsOf } from "./errors";
import { whole } from "./lists";
import { noteAnswer, reach, watchReach } from "./reach";
import { xsrfValue } from "./xsrf";

afterEach(() => {
  vi.unstubAllGlobals();
  noteAnswer(200, true);
});

function answering(answer: () => Response | Promise<Response>) {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", (input: Request | string, init?: RequestInit) => {
    asked.push(input instanceof Request ? input : new Request(new URL(input, "http://localhost"), init));
    return Promise.resolve().then(answer);
  });
  return asked;
}

const told = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });

describe("a failure in words", () => {
  it("is what the API says, as a sentence", () => {
    const error = errorOf(new Response("", { status: 409 }), { error: { code: "taken", message: "the name is taken", request_id: "r1", details: [1] } });
    expect([error.status, error.code, error.message, error.requestId, error.details]).toEqual([409, "taken", "The name is taken.", "r1", [1]]);
  });

  it("is plain words for an answer that is none of ours", () => {
    for (const body of [null, "<html>", { error: "x" }, { error: { message: 5 } }, []]) {
      expect(errorOf(new Response("", { status: 502 }), body).message).toContain("tries again by itself");
    }
    expect(errorOf(new Response("", { status: 500 }), null).message).toBe("The answer was an error (500).");
    expect(wordsOf(new TypeError("x is undefined"))).not.toContain("undefined");
  });

  it("passes by itself or does not", () => {
    const passing = (status: number) => new ApiError(status, "", "").passing;
    expect([0, 429, 502, 503, 504].map(passing)).toEqual([true, true, true, true, true]);
    expect([400, 401, 403, 404, 409, 500].some(passing)).toBe(false);
    expect(awayError().passing).toBe(true);
  });

  it("ends as a sentence ends", () => {
    expect([sentence(" no such file "), sentence("Really?"), sentence("")]).toEqual(["No such file.", "Really?", ""]);
  });
});

describe("a call", () => {
  it("that changes something shows the XSRF value and a key of its own", async () => {
    const asked = answering(() => told(201, {}));
    document.cookie = "smalti-xsrf=abc=def";
    await ok(client.POST("/tokens", { body: { name: "x" } }));
    await ok(client.POST("/tokens", { body: { name: "x" } }));
    expect(asked.map((request) => request.headers.get("X-XSRF-Token"))).toEqual(["abc=def", "abc=def"]);
    const keys = asked.map((request) => request.headers.get("Idempotency-Key"));
    expect(keys[0]).not.toBe(keys[1]);
    expect(keys.every((key) => key !== null && key.length > 20)).toBe(true);
  });

  it("that reads shows neither", async () => {
    const asked = answering(() => told(200, { items: [] }));
    await ok(client.GET("/projects", {}));
    expect(asked[0]?.headers.has("X-XSRF-Token")).toBe(false);
    expect(asked[0]?.url).toContain(`${API}/projects`);
  });

  it("puts what is in a path into it as a value", async () => {
    const asked = answering(() => told(410, {}));
    await expect(ok(client.GET("/jobs/{id}", { params: { path: { id: "../tokens?x#y" } } }))).rejects.toMatchObject({ status: 410 });
    expect(asked[0]?.url.endsWith(`${API}/jobs/..%2Ftokens%3Fx%23y`)).toBe(true);
  });

  it("that nothing answers is away, until something does", async () => {
    answering(() => Promise.reject(new TypeError("failed")));
    await expect(raw("/x")).rejects.toMatchObject({ status: 0 });
    expect(reach().away).toBe(true);
    answering(() => new Response("ok"));
    await raw("/x");
    expect(reach().away).toBe(false);
  });

  it("takes a 404 for the API's word only where the platform has said it", async () => {
    const answer = (headers: Record<string, string>) => {
      const made = new Response("{}", { status: 404, headers });
      Object.defineProperty(made, "url", { value: `http://localhost${API}/me` });
      return made;
    };
    answering(() => answer({}));
    await expect(raw(`${API}/me`)).rejects.toMatchObject({ status: 0 });
    expect(reach().away).toBe(true);
    answering(() => answer({ "X-Request-Id": "4f" }));
    await expect(raw(`${API}/me`)).rejects.toMatchObject({ status: 404 });
    expect(reach().away).toBe(false);
  });

  it("knows an ended session only by the API's own word", async () => {
    answering(() => told(401, {}));
    await expect(raw("/hub/x")).rejects.toMatchObject({ status: 401 });
    expect(reach().signedOut).toBe(false);
    let changes = 0;
    const stop = watchReach(() => (changes += 1));
    noteAnswer(401, true);
    noteAnswer(401, true);
    stop();
    expect([reach().signedOut, changes]).toEqual([true, 1]);
  });
});

describe("the XSRF value", () => {
  it("is found among cookies, that of this host only before the other", () => {
    expect(xsrfValue("a=1; smalti-xsrf=two; __Host-smalti-xsrf=one")).toBe("one");
    expect(xsrfValue("smalti-xsrf=two=2")).toBe("two=2");
    expect(xsrfValue("xsmalti-xsrf=no")).toBe("");
  });
});

describe("a short list", () => {
  it("is loaded whole, and never without end", async () => {
    const pages = new Map([[undefined, { items: [1, 2], next_cursor: "b" }], ["b", { items: [3], next_cursor: null }]]);
    expect(await whole((cursor) => Promise.resolve(pages.get(cursor as undefined) ?? { items: [], next_cursor: null }))).toEqual([1, 2, 3]);
    expect(await whole(() => Promise.resolve({ items: [0], next_cursor: "again" }), 10)).toHaveLength(10);
  });
});
