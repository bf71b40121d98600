import fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase, testSqlite } from "../db/testing.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import { createEvents, type Events, type TopicEvent } from "./events.repo.ts";

const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 5000, interval: 2 });

/** Reads a topic into `seen` until stopped. */
function follow(events: Events, topic: string, after: number) {
  const stop = new AbortController();
  const seen: TopicEvent[] = [];
  const ended = (async () => {
    for await (const event of events.subscribe(topic, after, stop.signal)) seen.push(event);
  })();
  return {
    seen,
    ended,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

describe.each(TEST_ENGINES)("events on $name", (engine) => {
  let test: TestDatabase;
  let events: Events;
  const clock = new ManualClock();
  beforeAll(async () => {
    test = await engine.open();
  });
  beforeEach(async () => {
    await test.db.tx(async (tx) => {
      await tx.delete(test.db.t.events);
      await tx.delete(test.db.t.topics);
    });
    events = createEvents(test.db, clock);
  });
  afterEach(() => events.close());
  afterAll(() => test.dispose());
  const publish = async (topic: string, data: unknown) => {
    await test.db.tx((tx) => events.publish(tx, topic, data));
    events.wake(topic);
  };

  it("numbers a topic without gaps in commit order, also when transactions fail in between", async () => {
    const { topics } = test.db.t;
    const committed: unknown[] = [];
    await Promise.allSettled(
      Array.from({ length: 30 }, async (_, n) => {
        await test.db.tx(async (tx) => {
          await events.publish(tx, "t", n);
          if (n % 5 === 0) throw new Error("stop");
          await tx.insert(topics).values({ topic: `mark-${n}`, seq: n });
        });
        committed.push(n);
      }),
    );
    const reader = follow(events, "t", 0);
    await until(() => expect(reader.seen).toHaveLength(24));
    expect(reader.seen.map(({ seq }) => seq)).toEqual(Array.from({ length: 24 }, (_, n) => n + 1));
    if (test.db.engine === "sqlite") expect(reader.seen.map(({ data }) => data)).toEqual(committed);
    expect(await events.latest("t")).toBe(24);
    await reader.stop();
  });

  it("gives each subscriber its own topic from its own number on, old and new", async () => {
    for (let n = 1; n <= 250; n += 1) await publish("a", n);
    await publish("b", "other");
    const [all, some] = [follow(events, "a", 0), follow(events, "a", 248)];
    await until(() => expect(all.seen).toHaveLength(250));
    await until(() => expect(some.seen.map(({ seq }) => seq)).toEqual([249, 250]));
    await publish("a", "live");
    await until(() => expect([all.seen.at(-1), some.seen.at(-1)]).toEqual(Array(2).fill({ seq: 251, data: "live" })));
    await Promise.all([all.stop(), some.stop()]);
  });

  it("ends subscribers when they leave and when the server closes", async () => {
    const [gone, stays] = [follow(events, "a", 0), follow(events, "a", 0)];
    await gone.stop();
    await publish("a", 1);
    await until(() => expect(stays.seen).toHaveLength(1));
    expect(gone.seen).toEqual([]);
    events.close();
    await stays.ended;
    const late = follow(events, "a", 0);
    await late.ended;
    expect(late.seen).toEqual([]);
  });

  it("sweeps old events and goes on counting", async () => {
    await publish("a", 1);
    clock.advance(1000);
    await publish("a", 2);
    expect(await sweepNow(test.db, clock.now() + 86_400_000, "events")).toBe(1);
    await publish("a", 3);
    const reader = follow(events, "a", 0);
    await until(() => expect(reader.seen.map(({ seq }) => seq)).toEqual([2, 3]));
    await reader.stop();
  });
});

describe("a subscriber that comes and goes", () => {
  it("misses nothing and sees nothing twice, however it interleaves with publishers", async () => {
    const test = await testSqlite.open();
    const act = fc.constantFrom("publish", "publish without wake", "fail", "leave", "yield");
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 40 }), async (acts) => {
        const events = createEvents(test.db, new ManualClock());
        round += 1;
        const topic = `t${round}`;
        const seen: TopicEvent[] = [];
        const done: Promise<unknown>[] = [];
        let reader = follow(events, topic, 0);
        let published = 0;
        for (const what of acts) {
          if (what === "yield") await new Promise(setImmediate);
          if (what === "leave") {
            await reader.stop();
            seen.push(...reader.seen);
            reader = follow(events, topic, seen.at(-1)?.seq ?? 0);
          }
          if (what === "fail") {
            const failing = test.db.tx(async (tx) => {
              await events.publish(tx, topic, "never");
              throw new Error("stop");
            });
            done.push(failing.catch(() => {}));
          }
          if (what.startsWith("publish")) {
            published += 1;
            const one = test.db.tx((tx) => events.publish(tx, topic, "x"));
            done.push(what === "publish" ? one.then(() => events.wake(topic)) : one);
          }
        }
        await Promise.all(done);
        events.wake(topic);
        await until(() => expect(seen.length + reader.seen.length).toBe(published));
        await reader.stop();
        seen.push(...reader.seen);
        expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: published }, (_, n) => n + 1));
        expect(seen.every(({ data }) => data === "x")).toBe(true);
        events.close();
      }),
      { numRuns: 25 },
    );
    await test.dispose();
  });
});
