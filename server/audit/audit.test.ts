import { and, eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { type Audit, createAudit } from "./audit.repo.ts";

const LENGTH = 5;

describe.each(TEST_ENGINES)("audit chains on $name", (engine) => {
  let test: TestDatabase;
  let clock: ManualClock;
  let audit: Audit;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    await test.db.tx((tx) => tx.delete(test.db.t.auditLog));
    clock = new ManualClock();
    audit = createAudit(test.db, clock);
    for (let n = 1; n <= LENGTH; n += 1) {
      clock.advance(1000);
      await record(`actor-${n}`);
    }
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

  it("forgets people after the time and stays verifiable", async () => {
    const { auditLog } = test.db.t;
    const forgotten = await test.db.tx((tx) => audit.anonymise(tx, new Date(Date.UTC(2026, 0, 1, 0, 0, 3))));
    expect(forgotten).toBe(2);
    const rows = await test.db.read.select().from(auditLog).orderBy(auditLog.seq);
    expect(rows.slice(0, 2)).toMatchObject(
      [1, 2].map(() => ({ at: null, actor: null, object: null, detail: null, salt: null })),
    );
    expect(rows[2]?.actor).toBe("actor-3");
    expect(JSON.stringify(rows.slice(0, 2))).not.toContain("actor-");
    await record("after");
    expect(await audit.verify("team")).toEqual({ entries: LENGTH + 1 });
    await change(1, { action: "phone.started" });
    expect(await audit.verify("team")).toMatchObject({ brokenAt: 1 });
  });
});
