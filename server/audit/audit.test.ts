import { randomBytes } from "node:crypto";
import { and, eq, gt, gte, type SQL, sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { type Audit, createAudit, sealEarlierChains } from "./audit.repo.ts";
import { activitySweep } from "./pruning.repo.ts";

const LENGTH = 5;
const DAY_MS = 24 * 3_600_000;
const KEY = randomBytes(32);

describe.each(TEST_ENGINES)("audit chains on $name", (engine) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let audit: Audit;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    await clear();
    clock = new ManualClock();
    audit = createAudit(test.db, clock, KEY);
    for (let n = 1; n <= LENGTH; n += 1) {
      clock.advance(1000);
      await record(`actor-${n}`);
    }
  });
  const clear = () =>
    test.db.tx(async (tx) => {
      await tx.delete(test.db.t.auditLog);
      await tx.delete(test.db.t.auditHeads);
      await tx.delete(test.db.t.activityDays);
    });
  const record = (actor: string, chain = "team") =>
    test.db.tx((tx) =>
      audit.record(tx, {
        chain,
        actor,
        action: "phone.parked",
        object: "ph_x",
        detail: { reason: "idle", b: 1, a: true },
      }),
    );
  const change = (seq: number, values: Record<string, unknown>) => {
    const { auditLog } = test.db.t;
    return test.db.tx((tx) =>
      tx
        .update(auditLog)
        .set(values)
        .where(and(eq(auditLog.chain, "team"), eq(auditLog.seq, seq))),
    );
  };

  it("seals the ends of chains begun before there were sealed ends, and those grow on from there", async () => {
    await record("server", "server");
    await test.db.tx((tx) => tx.delete(test.db.t.auditHeads));
    expect(await audit.verify("team")).toMatchObject({ how: "head" });
    await test.db.tx((tx) => sealEarlierChains(test.db, tx, KEY));
    await record("after");
    expect(await audit.verify("team")).toEqual({ entries: LENGTH + 1 });
    expect(await audit.verify("server")).toEqual({ entries: 1 });
    expect(await audit.hasEveryChain()).toBe(true);
  });

  it("verifies what was recorded, each chain for itself", async () => {
    await record("server", "server");
    expect(await audit.verify("team")).toEqual({ entries: LENGTH });
    expect(await audit.verify("server")).toEqual({ entries: 1 });
    expect((await audit.chains()).sort()).toEqual(["server", "team"]);
  });

  it.each([
    ["at", { at: new Date(Date.UTC(2026, 0, 1, 0, 0, 3, 1)) }],
    ["at, taken away", { at: null }],
    ["actor", { actor: "actor-4" }],
    ["actor, taken away", { actor: null }],
    ["action", { action: "phone.started" }],
    ["object", { object: "ph_y" }],
    ["object, taken away", { object: null }],
    ["detail", { detail: { reason: "idle", b: 2, a: true } }],
    ["detail, taken away", { detail: null }],
    ["salt", { salt: "AAAAAAAAAAAAAAAAAAAAAA" }],
    ["salt, taken away with a new actor", { salt: null, actor: "someone else" }],
    ["commitment", { commitment: "x" }],
    ["prev", { prev: "x" }],
    ["hash", { hash: "x" }],
    ["seq", { seq: 9 }],
    ["chain", { chain: "another" }],
  ])("finds a changed %s at its entry", async (_what, values) => {
    await change(3, values);
    expect((await audit.verify("team")).brokenAt).toBe(3);
  });

  it("finds a removed entry", async () => {
    const { auditLog } = test.db.t;
    await test.db.tx((tx) => tx.delete(auditLog).where(eq(auditLog.seq, 2)));
    expect(await audit.verify("team")).toMatchObject({ brokenAt: 2 });
  });

  it("finds every flipped byte of stored text", async () => {
    if (test.db.engine !== "sqlite") return;
    const { auditLog } = test.db.t;
    for (const column of ["actor", "action", "object", "detail", "salt", "commitment", "prev", "hash"] as const) {
      const [row] = await test.db.read
        .select({ text: sql<string>`${auditLog[column]}` })
        .from(auditLog)
        .where(and(eq(auditLog.chain, "team"), eq(auditLog.seq, 4)));
      const text = row?.text ?? "";
      expect(text.length).toBeGreaterThan(3);
      for (let index = 0; index < text.length; index += 1) {
        const flipped = text.slice(0, index) + String.fromCharCode(text.charCodeAt(index) ^ 1) + text.slice(index + 1);
        await change(4, { [column]: sql`${flipped}` });
        expect((await audit.verify("team")).brokenAt, `${column} byte ${index}`).toBe(4);
      }
      await change(4, { [column]: sql`${text}` });
      expect(await audit.verify("team")).toEqual({ entries: LENGTH });
    }
  });

  it("records with the transaction or not at all", async () => {
    await expect(
      test.db.tx(async (tx) => {
        await audit.record(tx, { chain: "team", actor: "a", action: "phone.started" });
        throw new Error("stop");
      }),
    ).rejects.toThrow("stop");
    expect(await audit.verify("team")).toEqual({ entries: LENGTH });
  });

  it("stays one chain when many record at once", async () => {
    await Promise.all(Array.from({ length: 8 }, (_, n) => record(`at once ${n}`)));
    expect(await audit.verify("team")).toEqual({ entries: LENGTH + 8 });
  });

  describe("after 90 days", () => {
    const REGION = "eu-central";
    /** The sweep of the moment at which entries up to this number are due. */
    const pruneTo = (seq: number, limit = 500) =>
      activitySweep(test.db, KEY, REGION).batch(Date.UTC(2026, 0, 1, 0, 0, seq, 1) + 90 * DAY_MS, limit);
    const entries = () => test.db.read.select().from(test.db.t.auditLog).orderBy(test.db.t.auditLog.seq);
    const counts = () => test.db.read.select().from(test.db.t.activityDays);
    const head = async () =>
      (await test.db.read.select().from(test.db.t.auditHeads)).find((one) => one.chain === "team");
    const changeHead = (values: Record<string, unknown>) => {
      const { auditHeads } = test.db.t;
      return test.db.tx((tx) => tx.update(auditHeads).set(values).where(eq(auditHeads.chain, "team")));
    };

    it("entries become counts that lead to nobody, and the chain goes on from where it begins now", async () => {
      await record("server", "server");
      expect(await pruneTo(2)).toBe(2);
      expect((await entries()).filter(({ chain }) => chain === "team").map(({ seq }) => seq)).toEqual([3, 4, 5]);
      expect(await counts()).toEqual([
        { day: "2026-01-01", action: "phone.parked", plan: "free", region: REGION, count: 2 },
      ]);
      expect(await audit.verify("team")).toEqual({ entries: LENGTH, left: 2 });
      await record("after");
      expect(await audit.verify("team")).toEqual({ entries: LENGTH + 1, left: 2 });
      expect(await audit.verify("server")).toEqual({ entries: 1 });
      expect(await audit.hasEveryChain()).toBe(true);
      await change(3, { action: "phone.started" });
      expect(await audit.verify("team")).toMatchObject({ brokenAt: 3 });
    });

    it("an entry stays to the last millisecond of them", async () => {
      const at = Date.UTC(2026, 0, 1, 0, 0, 1);
      const sweep = activitySweep(test.db, KEY, REGION);
      expect(await sweep.batch(at + 90 * DAY_MS, 500)).toBe(0);
      expect(await sweep.batch(at + 90 * DAY_MS + 1, 500)).toBe(1);
    });

    it("a chain may lose all its entries and grow again", async () => {
      await pruneTo(LENGTH);
      expect(await entries()).toEqual([]);
      expect(await audit.verify("team")).toEqual({ entries: LENGTH, left: LENGTH });
      expect(await audit.chains()).toEqual(["team"]);
      await record("again");
      expect(await audit.verify("team")).toEqual({ entries: LENGTH + 1, left: LENGTH });
    });

    it("goes a few entries at a time, and counts each once", async () => {
      let rounds = 0;
      while ((await pruneTo(LENGTH, 2)) === 2) rounds += 1;
      expect(rounds).toBe(2);
      expect(await counts()).toMatchObject([{ count: LENGTH }]);
    });

    it("rows of a day stand in the order of names, whatever order things happened in", async () => {
      for (const action of ["run.started", "flow.saved", "account.signed_in"] as const) {
        clock.advance(1000);
        await test.db.tx((tx) => audit.record(tx, { chain: "team", actor: "a", action }));
      }
      for (let seq = 1; seq <= LENGTH + 3; seq += 1) await pruneTo(seq);
      expect((await counts()).map(({ action, count }) => [action, count])).toEqual([
        ["account.signed_in", 1],
        ["flow.saved", 1],
        ["phone.parked", LENGTH],
        ["run.started", 1],
      ]);
    });

    it.each<[string, () => Promise<unknown>]>([
      [
        "a start moved on, with what it leaves out",
        async () => {
          // All of it is there to be read; only the seal is not.
          const third = (await entries()).find(({ seq }) => seq === 3);
          await test.db.tx((tx) => tx.delete(test.db.t.auditLog).where(eq(test.db.t.auditLog.seq, 3)));
          return changeHead({ start: 3, startHash: third?.hash });
        },
      ],
      ["a start moved back", () => changeHead({ start: 1 })],
      ["a start that says that nothing left", () => changeHead({ start: 0, startHash: null })],
      ["another hash of the start", () => changeHead({ startHash: "x" })],
      [
        "entries at the beginning taken away",
        () => test.db.tx((tx) => tx.delete(test.db.t.auditLog).where(eq(test.db.t.auditLog.seq, 3))),
      ],
    ])("notices %s", async (_what, tamper) => {
      await pruneTo(2);
      await tamper();
      expect((await audit.verify("team")).brokenAt).toBeDefined();
      await record("goes on all the same");
      expect((await audit.verify("team")).brokenAt).toBeDefined();
      // Nor does the next sweep heal it.
      await pruneTo(LENGTH);
      expect((await audit.verify("team")).brokenAt).toBeDefined();
    });

    it("notices that an entry which had left is back", async () => {
      const [first] = await entries();
      if (first === undefined) throw new Error("no entry");
      await pruneTo(2);
      await test.db.tx((tx) => tx.insert(test.db.t.auditLog).values(first));
      expect(await audit.verify("team")).toMatchObject({ brokenAt: 1, how: "changed", left: 2 });
      await pruneTo(LENGTH);
      expect(await audit.verify("team")).toMatchObject({ brokenAt: 1 });
    });

    it("notices an older head put back beside newer entries", async () => {
      const earlier = await head();
      await pruneTo(2);
      if (earlier !== undefined) await changeHead({ ...earlier });
      expect(await audit.verify("team")).toMatchObject({ brokenAt: 1 });
    });

    it.each<[string, Record<string, unknown>]>([
      ["an actor", { actor: "somebody else" }],
      ["an action", { action: "phone.started" }],
      ["a hash", { hash: "x" }],
    ])("keeps the proof that %s was changed, without the person", async (_what, values) => {
      await change(2, values);
      while ((await pruneTo(LENGTH, 2)) === 2);
      const left = await entries();
      expect(left.map(({ seq }) => seq)).toEqual([2, 3, 4, 5]);
      expect(JSON.stringify(left)).not.toMatch(/actor-|somebody|ph_x|idle/);
      expect(await audit.verify("team")).toMatchObject({ brokenAt: 2, how: "changed" });
    });

    it("forgets the person of an old entry that stands behind a younger one", async () => {
      clock.advance(DAY_MS);
      await record("from the future");
      clock.advance(-DAY_MS);
      await record("behind it");
      await pruneTo(LENGTH + 1);
      const left = await entries();
      expect(left.map(({ seq, actor }) => [seq, actor])).toEqual([
        [LENGTH + 1, "from the future"],
        [LENGTH + 2, null],
      ]);
      expect(await counts()).toMatchObject([{ count: LENGTH + 1 }]);
      expect(await audit.verify("team")).toEqual({ entries: LENGTH + 2, left: LENGTH });
      await activitySweep(test.db, KEY, REGION).batch(clock.now() + 92 * DAY_MS, 500);
      expect(await entries()).toEqual([]);
      const all = (await counts()).reduce((sum, { count }) => sum + count, 0);
      expect(all).toBe(LENGTH + 2);
      expect(await audit.verify("team")).toEqual({ entries: LENGTH + 2, left: LENGTH + 2 });
    });

    it("takes an entry recorded while it looks, where none is left, for no loss", async () => {
      await pruneTo(LENGTH);
      let looks = 0;
      /** Something is recorded after the empty chain was read, and before its head is read again. */
      const read = new Proxy(test.db.read, {
        get: (reader, name) =>
          name !== "select"
            ? Reflect.get(reader, name)
            : (fields?: Parameters<typeof reader.select>[0]) =>
                fields !== undefined
                  ? reader.select(fields)
                  : {
                      from: (table: typeof test.db.t.auditHeads) => ({
                        where: async (condition: SQL) => {
                          looks += 1;
                          if (looks === 2) await record("meanwhile");
                          return reader.select().from(table).where(condition);
                        },
                      }),
                    },
      });
      const db = new Proxy(test.db, { get: (target, name) => (name === "read" ? read : Reflect.get(target, name)) });
      expect(await createAudit(db, clock, KEY).verify("team")).toEqual({ entries: LENGTH + 1, left: LENGTH });
      expect(looks).toBe(3);
    });

    it("verifies beside writers and the sweep", async () => {
      const wrong: unknown[] = [];
      let writing = true;
      const looking = (async () => {
        while (writing) {
          const state = await audit.verify("team");
          if (state.brokenAt !== undefined) wrong.push(state);
        }
      })();
      for (let round = 0; round < 20; round += 1) {
        clock.advance(1000);
        await Promise.all([record(`round ${round}`), pruneTo(LENGTH + round, 3)]);
      }
      writing = false;
      await looking;
      expect(wrong).toEqual([]);
      expect((await audit.verify("team")).left).toBeGreaterThan(LENGTH);
    });
  });

  describe("the end of a chain", () => {
    const cutAfter = (seq: number) =>
      test.db.tx((tx) =>
        tx.delete(test.db.t.auditLog).where(and(eq(test.db.t.auditLog.chain, "team"), gt(test.db.t.auditLog.seq, seq))),
      );
    const changeHead = (values: Record<string, unknown>, chain = "team") => {
      const { auditHeads } = test.db.t;
      return test.db.tx((tx) => tx.update(auditHeads).set(values).where(eq(auditHeads.chain, chain)));
    };
    const dropHead = (chain: string) => {
      const { auditHeads } = test.db.t;
      return test.db.tx((tx) => tx.delete(auditHeads).where(eq(auditHeads.chain, chain)));
    };

    it("is known: entries taken from it are missed, and still are when more was recorded", async () => {
      await cutAfter(3);
      expect(await audit.verify("team")).toEqual({ entries: 3, brokenAt: 4, how: "cut_off" });
      await record("after");
      expect(await audit.verify("team")).toEqual({ entries: 3, brokenAt: 4, how: "changed" });
    });

    it("cannot be made up without the key, nor be healed by recording more", async () => {
      const [third] = await test.db.read.select().from(test.db.t.auditLog).where(eq(test.db.t.auditLog.seq, 3));
      await cutAfter(3);
      await changeHead({ entries: 3, hash: third?.hash });
      expect(await audit.verify("team")).toEqual({ entries: 3, brokenAt: 4, how: "head" });
      await record("after");
      expect(await audit.verify("team")).toMatchObject({ how: "head" });
      await dropHead("team");
      expect(await audit.verify("team")).toMatchObject({ how: "head" });
      await record("after");
      expect(await audit.verify("team")).toMatchObject({ how: "head" });
    });

    it("tells of entries somebody without the key added", async () => {
      const forger = createAudit(test.db, clock, randomBytes(32));
      await test.db.tx((tx) => forger.record(tx, { chain: "team", actor: "x", action: "phone.parked" }));
      const told = { brokenAt: LENGTH + 1, how: "changed" };
      expect(await audit.verify("team")).toEqual({ entries: LENGTH + 1, ...told });
      await record("goes on all the same");
      expect(await audit.verify("team")).toEqual({ entries: LENGTH + 2, ...told });
    });

    it("misses a whole chain that was taken away", async () => {
      await record("x", "other");
      expect(await audit.hasEveryChain()).toBe(true);
      await test.db.tx((tx) => tx.delete(test.db.t.auditLog).where(eq(test.db.t.auditLog.chain, "other")));
      expect(await audit.verify("other")).toEqual({ entries: 0, brokenAt: 1, how: "cut_off" });
      await dropHead("other");
      expect(await audit.chains()).toEqual(["team"]);
      expect(await audit.hasEveryChain()).toBe(false);
      await changeHead({ entries: 1 }, "*");
      expect(await audit.hasEveryChain()).toBe(false);
      await record("x", "third");
      expect(await audit.hasEveryChain()).toBe(false);
    });
  });

  it("verifies after any order of recording and forgetting, and names whatever is then changed", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("record" as const), chain: fc.constantFrom("a", "b"), wait: fc.nat(5000) }),
      fc.record({ do: fc.constant("forget" as const), ago: fc.nat(20_000) }),
    );
    const change = fc.record({ kind: fc.constantFrom("edit", "remove", "swap", "cut"), pick: fc.nat() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), change, async (steps, { kind, pick }) => {
        await clear();
        for (const one of steps) {
          if (one.do === "record") {
            clock.advance(one.wait);
            await record(`actor-${one.wait}`, one.chain);
          } else await activitySweep(test.db, KEY, "local").batch(clock.now() - one.ago + 90 * DAY_MS, 500);
        }
        await record("last", "a");
        for (const chain of await audit.chains()) expect((await audit.verify(chain)).brokenAt).toBeUndefined();
        expect(await audit.hasEveryChain()).toBe(true);

        const { auditLog } = test.db.t;
        const { entries, left = 0 } = await audit.verify("a");
        const at = left + (pick % (entries - left)) + 1;
        const seqIs = (seq: number) => and(eq(auditLog.chain, "a"), eq(auditLog.seq, seq));
        await test.db.tx(async (tx) => {
          if (kind === "edit") await tx.update(auditLog).set({ action: "phone.started" }).where(seqIs(at));
          else if (kind === "remove") await tx.delete(auditLog).where(seqIs(at));
          else if (kind === "cut") await tx.delete(auditLog).where(and(eq(auditLog.chain, "a"), gte(auditLog.seq, at)));
          else {
            await tx.update(auditLog).set({ seq: -1 }).where(seqIs(at));
            await tx.update(auditLog).set({ seq: at }).where(seqIs(entries));
            await tx.update(auditLog).set({ seq: entries }).where(seqIs(-1));
          }
        });
        const isStillWhole = kind === "swap" && at === entries;
        expect((await audit.verify("a")).brokenAt).toBe(isStillWhole ? undefined : at);
      }),
      { numRuns: engine.name === "SQLite" ? 40 : 15 },
    );
  });
});
