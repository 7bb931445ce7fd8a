import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Gatherer, staleKeys, type Happening } from "./invalidation";
import { listen, type News } from "./stream";

const event = (topic: string, kind: string, project_id: string | null = "p"): Happening => ({ topic, kind, project_id, subject_id: "s" });

describe("what an event makes stale", () => {
  it("is what it touches and nothing else", () => {
    expect(staleKeys(event("jobs", "job.changed"))).toEqual([["jobs"], ["job", "s"], ["planes"]]);
    expect(staleKeys(event("projects", "project.pushed"))).toEqual([["project", "p", "files"]]);
    expect(staleKeys(event("projects", "project.changed"))).toEqual([["projects"], ["project", "p"]]);
    expect(staleKeys(event("projects", "project.pushed", null))).toEqual([]);
    expect(staleKeys(event("unheard-of", "x.y"))).toEqual([]);
  });
});

describe("a gatherer", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("hands over a thousand events at once, and then at most once in a second", () => {
    const handed: number[] = [];
    const gatherer = new Gatherer((keys) => handed.push(keys.length), 1000, 150, () => Date.now());
    for (let i = 0; i < 1000; i += 1) gatherer.add([["jobs"], ["job", i % 10]]);
    vi.advanceTimersByTime(151);
    expect(handed).toEqual([11]);
    gatherer.add([["jobs"]]);
    vi.advanceTimersByTime(800);
    expect(handed).toEqual([11]);
    vi.advanceTimersByTime(300);
    expect(handed).toEqual([11, 1]);
  });

  it("is quiet without keys and once it is stopped", () => {
    const hand = vi.fn();
    const gatherer = new Gatherer(hand);
    gatherer.add([]);
    gatherer.add([["jobs"]]);
    gatherer.stop();
    vi.advanceTimersByTime(10_000);
    expect(hand).not.toHaveBeenCalled();
  });
});

/** A source of events that the test speaks for. */
class Source extends EventTarget {
  static all: Source[] = [];
  onerror: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }
  close() {
    this.closed = true;
  }
  say(kind: string, id: string, data: unknown = {}) {
    this.dispatchEvent(new MessageEvent(kind, { lastEventId: id, data: JSON.stringify(data) }));
  }
}

/** Locks as a browser has them, for one name. */
function locks() {
  let last = Promise.resolve();
  return {
    request: (_name: string, options: { signal: AbortSignal }, work: () => Promise<void>) => {
      const turn = last.then(() => {
        if (options.signal.aborted) throw new DOMException("gone", "AbortError");
        return work();
      });
      last = turn.catch(() => undefined);
      return turn;
    },
  };
}

/** Channels that reach each other at once, never themselves. */
class Channel {
  static all: Channel[] = [];
  onmessage: ((message: { data: unknown }) => void) | null = null;
  constructor(readonly name: string) {
    Channel.all.push(this);
  }
  postMessage(data: unknown) {
    for (const one of Channel.all) if (one !== this && one.name === this.name) one.onmessage?.({ data });
  }
  close() {
    Channel.all = Channel.all.filter((one) => one !== this);
  }
}

describe("one stream over eight tabs", () => {
  let heard: News[][];
  let stops: (() => void)[];

  beforeEach(() => {
    vi.useFakeTimers();
    Source.all = [];
    Channel.all = [];
    vi.stubGlobal("EventSource", Source);
    vi.stubGlobal("BroadcastChannel", Channel);
    vi.stubGlobal("navigator", { locks: locks() });
    heard = Array.from({ length: 8 }, () => []);
    stops = heard.map((list) => listen((news) => list.push(news)));
  });
  afterEach(() => {
    for (const stop of stops) stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is one connection, and every tab hears of everything", async () => {
    await vi.advanceTimersByTimeAsync(10);
    expect(Source.all).toHaveLength(1);
    Source.all[0]?.say("ready", "5");
    Source.all[0]?.say("job.changed", "6", event("jobs", "job.changed"));
    expect(heard.map((list) => list.map((news) => news.kind))).toEqual(heard.map(() => ["connected", "event"]));
  });

  it("goes on in another tab where the first one was, when that is closed", async () => {
    await vi.advanceTimersByTimeAsync(10);
    Source.all[0]?.say("ready", "5");
    Source.all[0]?.say("job.changed", "8", event("jobs", "job.changed"));
    stops[0]?.();
    await vi.advanceTimersByTimeAsync(10);
    expect(Source.all.map((source) => source.closed)).toEqual([true, false]);
    expect(Source.all[1]?.url).toMatch(/last_event_id=8$/);
    Source.all[1]?.say("job.changed", "9", event("jobs", "job.changed"));
    expect(heard[7]?.at(-1)).toMatchObject({ kind: "event", position: "9" });
    expect(heard[0]?.at(-1)).toMatchObject({ position: "8" });
  });

  it("says that it is away, and connects again with pauses that grow", async () => {
    await vi.advanceTimersByTimeAsync(10);
    Source.all[0]?.say("ready", "5");
    for (let i = 0; i < 6; i += 1) {
      Source.all.at(-1)?.onerror?.();
      await vi.advanceTimersByTimeAsync(15_100);
    }
    expect(heard[3]?.filter((news) => news.kind === "away")).toHaveLength(6);
    expect(Source.all.length).toBeGreaterThanOrEqual(7);
    expect(Source.all.filter((source) => !source.closed)).toHaveLength(1);
    Source.all.at(-1)?.say("reset", "40");
    expect(heard[3]?.at(-1)).toEqual({ kind: "connected", position: "40", lost: true });
  });
});
