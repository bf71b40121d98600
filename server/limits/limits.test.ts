import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import { createIdempotency } from "./idempotency.ts";
import { createLimitsRepo, type LimitsRepo } from "./limits.repo.ts";
import { createRateLimiter, LIMITS, MOST_IN_MEMORY, NETWORK_TIMES, networkOf, regionOf } from "./rate-limiter.ts";
import { expectWithinRate } from "./testing/rate.ts";

/** The plain meaning: a bucket of `burst` tokens that gains one every `everyMs`. */
function bucket(burst: number, everyMs: number) {
  let level = burst * everyMs;
  let last = 0;
  return (now: number): number => {
    level = Math.min(burst * everyMs, level + now - last);
    last = now;
    if (level < everyMs) return everyMs - level;
    level -= everyMs;
    return 0;
  };
}

/** Long proofs do more of the same. */
const TIMES = Number(process.env["PROVE_TIMES"] ?? 1);

describe.each(TEST_ENGINES)("limits on $name", (engine) => {
  let test: TestDatabase;
  let repo: LimitsRepo;
  let clock: ManualClock;
  beforeAll(async () => {
    test = await engine.open();
    repo = createLimitsRepo(test.db);
  });
  beforeEach(async () => {
    clock = new ManualClock();
    await test.db.tx((tx) => tx.delete(test.db.t.idempotencyKeys));
  });
  afterAll(() => test.dispose());
  const limiter = (key = randomBytes(32)) => createRateLimiter({ clock, repo, key });

  it("stores a limit that behaves as a bucket: a burst, then a steady rate", async () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(gaps, fc.integer({ min: 1, max: 6 }), async (waits, burst) => {
        const everyMs = 1000;
        const model = bucket(burst, everyMs);
        const key = randomBytes(8).toString("hex");
        let now = 1_000_000;
        for (const wait of waits) {
          now += wait;
          expect(await repo.takeToken({ key, now, everyMs, burst })).toBe(model(now));
        }
      }),
      { numRuns: 10 },
    );
  });

  it("lets exactly the burst through when all come at once", async () => {
    const take = () => repo.takeToken({ key: "parallel", now: 5000, everyMs: 1000, burst: 5 });
    const waits = await Promise.all(Array.from({ length: 12 }, take));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(5);
    for (const wait of waits) expect([0, 1000]).toContain(wait);
  });

  it("never lets more through than the burst and the rate allow, however many ask at once", async () => {
    const rounds = fc.array(fc.record({ wait: fc.nat(2_500), asking: fc.integer({ min: 1, max: 6 }) }), {
      maxLength: 8,
    });
    await fc.assert(
      fc.asyncProperty(rounds, fc.integer({ min: 1, max: 5 }), async (script, burst) => {
        const everyMs = 1_000;
        const key = randomBytes(8).toString("hex");
        const passed: number[] = [];
        let now = 1_000_000;
        for (const { wait, asking } of script) {
          now += wait;
          const at = now;
          const waits = await Promise.all(
            Array.from({ length: asking }, () => repo.takeToken({ key, now: at, everyMs, burst })),
          );
          passed.push(...waits.filter((one) => one === 0).map(() => at));
        }
        expectWithinRate(passed, { burst, everyMs });
      }),
      { numRuns: TIMES * 5 },
    );
  });

  it("holds stored limits over restarts, and keeps no name in the table", async () => {
    const key = randomBytes(32);
    const subject = "someone@x.example";
    for (let n = 0; n < LIMITS.signIn.burst; n += 1) await limiter(key).take("signIn", subject);
    await expect(limiter(key).take("signIn", subject)).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterMs: 60_000,
      message: "That was too often. Try again in 1 min.",
    });
    await limiter(key).take("signIn", "another@x.example");
    await limiter(key).take("mail", subject);
    expect(JSON.stringify(await test.db.read.select().from(test.db.t.rateLimits))).not.toContain("x.example");
    clock.advance(LIMITS.signIn.everyMs);
    await limiter(key).take("signIn", subject);
  });

  it("sweeps what would limit nobody any more", async () => {
    await sweepNow(test.db, Number.MAX_SAFE_INTEGER, "rate limits");
    await repo.takeToken({ key: "old", now: 0, everyMs: 1000, burst: 1 });
    await repo.takeToken({ key: "live", now: 500, everyMs: 1000, burst: 1 });
    expect(await sweepNow(test.db, 1000, "rate limits")).toBe(1);
    expect(await repo.takeToken({ key: "live", now: 1000, everyMs: 1000, burst: 1 })).toBe(500);
  });

  describe("idempotency keys", () => {
    const scope = () => ({ teamId: newId("team"), userId: newId("user") }) as TeamScope;
    const idempotency = () => createIdempotency({ clock, repo });
    const call = (of: TeamScope, input: unknown, key = "key-12345") => ({ scope: of, procedure: "p", key, input });
    const run = (at: ReturnType<typeof call>, work: () => Promise<unknown>) =>
      test.db.tx((tx) => idempotency().once(tx, at, (stored) => stored, work));

    it("gives the first answer again and does the work once", async () => {
      const of = scope();
      let done = 0;
      const work = async () => {
        done += 1;
        return { n: done, text: "日本", list: [1, null] };
      };
      const first = await run(call(of, { a: 1, b: [1, { c: 2 }] }), work);
      const again = await run(call(of, { b: [1, { c: 2 }], a: 1 }), work);
      expect(again).toEqual({ result: first.result, replayed: true });
      expect(done).toBe(1);
    });

    it("refuses the key for another input, and keeps people, procedures and teams apart", async () => {
      const [of, other] = [scope(), scope()];
      const work = async () => "done";
      await run(call(of, { a: 1 }), work);
      await expect(run(call(of, { a: 2 }), work)).rejects.toMatchObject({ code: "idempotency_mismatch" });
      expect((await run(call(other, { a: 2 }), work)).replayed).toBe(false);
      expect((await run({ ...call(of, { a: 2 }), procedure: "q" }, work)).replayed).toBe(false);
    });

    it("does the work once when the same key comes many times at once", async () => {
      const of = scope();
      const { topics } = test.db.t;
      const topic = `t-${of.teamId}`;
      const results = await Promise.all(
        Array.from({ length: 8 }, () =>
          test.db.tx((tx) =>
            idempotency().once(tx, call(of, 1), String, async () => {
              await tx.insert(topics).values({ topic, seq: 1 });
              return topic;
            }),
          ),
        ),
      );
      expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(new Set(results.map(({ result }) => result))).toEqual(new Set([topic]));
    });

    it("keeps no answer of work that failed, and forgets on request", async () => {
      const of = scope();
      await expect(run(call(of, 1), () => Promise.reject(new PerchError("conflict", "no")))).rejects.toThrow("no");
      expect(await run(call(of, 1), async () => "yes")).toEqual({ result: "yes", replayed: false });
      await test.db.tx((tx) => idempotency().forget(tx, call(of, 1)));
      expect((await run(call(of, 1), async () => "anew")).replayed).toBe(false);
    });
  });
});

describe("limits in memory", () => {
  const unused = (): never => {
    throw new Error("Limits in memory touch no table.");
  };
  const noRepo: LimitsRepo = {
    takeToken: unused,
    findResult: unused,
    storeResult: unused,
    forgetResult: unused,
  };

  it("let everybody of a network do so many times what one may, whatever is stored, each limit apart", async () => {
    const clock = new ManualClock();
    const limiter = createRateLimiter({ clock, repo: noRepo, key: randomBytes(32) });
    const { burst, everyMs } = LIMITS.launch;
    for (let n = 0; n < burst * NETWORK_TIMES; n += 1) limiter.takeOfNetwork("launch", "2001:db8:1:2::/64");
    expect(() => limiter.takeOfNetwork("launch", "2001:db8:1:2::/64")).toThrow("That was too often. Try again in 1 s.");
    limiter.takeOfNetwork("launch", "2001:db8:1:3::/64");
    limiter.takeOfNetwork("read", "2001:db8:1:2::/64");
    await limiter.take("read", "2001:db8:1:2::/64");
    clock.advance(everyMs / NETWORK_TIMES);
    limiter.takeOfNetwork("launch", "2001:db8:1:2::/64");
    expect(() => limiter.takeOfNetwork("launch", "2001:db8:1:2::/64")).toThrow("too often");
  });

  it("take no more memory than they may, and forget the longest unused first", async () => {
    const limiter = createRateLimiter({ clock: new ManualClock(), repo: noRepo, key: randomBytes(32) });
    const used = async (subject: string) => {
      for (let n = 0; n < LIMITS.write.burst; n += 1) await limiter.take("write", subject);
    };
    await used("early");
    await used("kept");
    for (let n = 0; n < MOST_IN_MEMORY; n += 1) {
      limiter.takeOfNetwork("read", `network ${n}`);
      if (n % 10_000 === 0) await limiter.take("write", "kept").catch(() => {});
    }
    // Asking in vain is no use, so both are gone by now: a bound costs a flooded server exactness, never memory.
    await limiter.take("write", "early");
    await limiter.take("write", "kept");
    await used("late");
    for (let n = 0; n < MOST_IN_MEMORY / 2; n += 1) limiter.takeOfNetwork("read", `other ${n}`);
    await expect(limiter.take("write", "late")).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("behave as a bucket", async () => {
    const { burst, everyMs } = LIMITS.write;
    const gaps = fc.array(fc.integer({ min: 0, max: 3 * everyMs }), { maxLength: 200 });
    await fc.assert(
      fc.asyncProperty(gaps, async (waits) => {
        const clock = new ManualClock();
        const start = clock.now();
        const limiter = createRateLimiter({ clock, repo: noRepo, key: randomBytes(32) });
        const model = bucket(burst, everyMs);
        for (let n = 0; n < burst; n += 1) {
          await limiter.take("write", "a");
          model(clock.now() - start);
        }
        for (const wait of waits) {
          clock.advance(wait);
          const expected = model(clock.now() - start);
          const got = await limiter.take("write", "a").then(
            () => 0,
            (error: unknown) => (error instanceof PerchError ? error.retryAfterMs : undefined),
          );
          expect(got).toBe(expected);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe("one place of an address", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
    ["2001:db8::9", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["2001:DB8:0001:2::9", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::9%eth0", "2001:db8:1:2::/64"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["::ffff:c000:207", "192.0.2.7"],
    ["", "unknown"],
    ["192.0.2.7, 1.2.3.4", "unknown"],
    ["0x7f.1", "unknown"],
  ])("takes %s as %s", (ip, network) => expect(networkOf(ip)).toBe(network));
  it.each([
    ["192.0.2.7", "192.0.2.0/24"],
    ["::ffff:192.0.2.9", "192.0.2.0/24"],
    ["2001:db8:1:2::9", "2001:db8:1::/48"],
    ["nonsense", "unknown"],
  ])("lies, as %s, in %s", (ip, region) => expect(regionOf(ip)).toBe(region));
});
