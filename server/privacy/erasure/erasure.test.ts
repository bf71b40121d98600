import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { and, eq, isNotNull } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { mortalDatabase } from "../../automations/testing/mortal-database.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { PerchError } from "../../errors.ts";
import { columnNamed, dataMap, linksOf } from "../map/data-map.ts";
import { leadsTo } from "../map/rows-of.repo.ts";
import { type CanaryPerson, canaryPerson, plant } from "../testing/plant.repo.ts";
import { needlesOf, scanBytes } from "./byte-scan.ts";
import { erasurePlan } from "./erasure-plan.repo.ts";
import { actorOf, type ErasureWorld, erasureBench } from "./testing.ts";

const MASTER = randomBytes(32);

describe.each(TEST_ENGINES)("erasing a person on $name", (engine) => {
  let test: TestDatabase;
  let folder: string;
  let world: ErasureWorld;
  const [anna, ben] = [canaryPerson(), canaryPerson()];
  beforeAll(async () => {
    test = await engine.open();
    folder = dataFolder("perch-erasure-");
    mkdirSync(join(folder, "data"));
    world = erasureBench(test.db, { folder, master: MASTER });
    for (const who of [anna, ben]) await plantPerson(who);
  });
  afterAll(async () => {
    await test.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function plantPerson(who: CanaryPerson): Promise<void> {
    const { db } = test;
    const at = new Date(world.clock.now());
    const planted = await plant(db, dataMap(db.t), who, { at, without: ["auditLog", "auditHeads"] });
    const phone = planted.find(({ table, column }) => table === "phones" && column === "id");
    if (typeof phone?.value === "string") world.driver.stored.set(phone.value as never, { files: new Map() } as never);
    await db.tx(async (tx) => {
      // The next event of the team follows those that were planted.
      await tx.update(db.t.topics).set({ seq: 10_000 }).where(eq(db.t.topics.topic, who.teamId));
      const entry = { chain: who.teamId, actor: who.userId, action: "phone.launched", object: "phn_x" } as const;
      await world.audit.record(tx, entry);
      await world.audit.record(tx, { ...entry, actor: "server", action: "phone.parked" });
      await world.audit.record(tx, {
        ...{ chain: "server", actor: "operator", action: "admin.account_read", object: who.userId },
        detail: { reason: "A question of theirs." },
      });
    });
  }
  /** All rows of all tables, as text: for what must not change. */
  async function everythingOf(who: CanaryPerson): Promise<string[]> {
    const found: string[] = [];
    for (const table of dataMap(test.db.t)) {
      for (const link of linksOf(table, "user", "email", "team")) {
        // That something was done stays in the chain; by whom, when and with what does not.
        const isChain = link.tag.link === "team" && link.tag.erase === "null";
        const where = link.tag.link === "team" ? eq(link.column, who.teamId) : leadsTo(link, who);
        const clock = columnNamed(table, table.about.clock).column;
        const rows = await test.db.read
          .select()
          .from(table.table)
          .where(isChain ? and(where, isNotNull(clock)) : where);
        found.push(...rows.map((row) => `${table.name}.${link.name} ${JSON.stringify(row)}`));
      }
    }
    return found.sort();
  }

  it("has a plan that reaches every column that leads to somebody, and every child of what goes", () => {
    const { acts, tables } = erasurePlan(test.db.t);
    for (const table of tables) {
      const reached = acts.filter((act) => act.table === table).flatMap(({ ways }) => ways.map(({ column }) => column));
      const links = linksOf(table, "user", "team", "scope", "mention").map(({ column }) => column);
      expect(reached, table.name).toEqual(expect.arrayContaining(links));
      const { subject } = table.about;
      if ("via" in subject && table.property !== "fileContents") {
        expect(
          acts.map(({ id }) => id),
          table.name,
        ).toContain(`delete:${table.property}`);
      }
    }
    const order = acts.map(({ id }) => id);
    expect(order.indexOf("delete:runSteps")).toBeLessThan(order.indexOf("delete:runs"));
    expect(order.indexOf("delete:runs")).toBeLessThan(order.indexOf("delete:teams"));
    expect(order.indexOf("delete:users")).toBeGreaterThan(order.indexOf("delete:sessions"));
  });

  it("shows what goes, asks once, and erases exactly that; nobody else loses a byte", async () => {
    const { db } = test;
    const actor = actorOf(anna, newId("session"), world.clock);
    const his = await everythingOf(ben);
    expect((await everythingOf(anna)).length).toBeGreaterThan(40);
    const input = { idempotencyKey: "key-12345678", confirmation: anna.email.toUpperCase(), now: false, teams: [] };
    await expect(world.erasures.ask(actor, { ...input, confirmation: "other@x.example" })).rejects.toMatchObject({
      code: "bad_input",
    });
    const asked = await world.erasures.ask(actor, input);
    expect(await world.erasures.ask(actor, input)).toEqual(asked);
    expect(asked.state).toBe("grace");
    await world.purge(asked.id);
    expect((await world.erasures.current(anna.userId))?.state).toBe("grace");

    const preview = await world.erasures.preview(actor);
    expect(preview.kept.map(({ label }) => label).sort()).toContain("Billing records");
    world.clock.advance(7 * 24 * 3_600_000);
    const values = [anna.email];
    await world.purge(asked.id);

    expect(await everythingOf(anna)).toEqual([]);
    expect(await everythingOf(ben)).toEqual(his);
    const [row] = await db.read.select().from(db.t.erasures).where(eq(db.t.erasures.id, asked.id));
    expect(row).toMatchObject({ state: "done", userId: null, undoHash: null, choices: null, idempotencyKey: null });
    const receipt = row?.certificate;
    if (receipt == null) throw new Error("There is no certificate.");
    expect(world.asked.receipts.verify(receipt)).toBe(true);
    const { erased, staysWithTeams, kept, left, scan } = receipt.statement as Record<string, unknown>;
    expect(erased).toEqual(preview.goes);
    expect(staysWithTeams).toEqual(preview.staysWithTeams);
    expect(kept).toMatchObject(preview.kept.map(({ label, items, law }) => ({ label, items, law })));
    expect({ left, scan }).toMatchObject({ left: 0, scan: { state: "done" } });
    expect(JSON.stringify(receipt)).not.toContain(anna.userId);
    const pages = await db.pages();
    if (pages !== undefined) expect(await scanBytes(pages, needlesOf(values))).toBe(0);
    for (const chain of await world.audit.chains())
      expect(await world.audit.verify(chain)).not.toHaveProperty("brokenAt");
    const bills = await db.read.select().from(db.t.billingRecords);
    expect(bills.filter(({ teamId }) => teamId === null)).toHaveLength(1);
    const [request] = await db.read
      .select()
      .from(db.t.dataRequests)
      .where(eq(db.t.dataRequests.id, row?.requestId ?? newId("dataRequest")));
    expect(request).toMatchObject({ state: "fulfilled", userId: null, email: null });
    expect(readFileSync(join(folder, "data/erasures.ledger"), "utf8")).toContain(anna.userId);
  });

  it("goes on wherever it was stopped, before and after every commit", async () => {
    const { db } = test;
    const carla = canaryPerson();
    await plantPerson(carla);
    const his = await everythingOf(ben);
    const actor = actorOf(carla, newId("session"), world.clock);
    const input = { idempotencyKey: "key-12345678", confirmation: carla.email, now: true, teams: [] };
    const { id } = await world.erasures.ask(actor, input);
    let lives = 0;
    for (let ended = false; !ended; lives += 1) {
      // A few transactions in each life; the next is not begun, or the last is committed and nothing after it.
      const committed = lives % 2 === 0;
      const { db: mortal, died } = mortalDatabase(db, { at: 1 + (lives % 3) + (committed ? 0 : 1), committed });
      const life = erasureBench(mortal, { folder, master: MASTER, kept: world });
      ended = (await Promise.race([life.purge(id), died])) !== "died";
      if (lives > 500) throw new Error("It gets nowhere.");
    }
    expect(lives).toBeGreaterThan(20);
    expect(await everythingOf(carla)).toEqual([]);
    expect(await everythingOf(ben)).toEqual(his);
    const [row] = await db.read.select().from(db.t.erasures).where(eq(db.t.erasures.id, id));
    expect(row).toMatchObject({ state: "done", userId: null });
    // What to search for was in the memory of a process that is gone; the certificate does not say otherwise.
    expect(row?.certificate?.statement).toMatchObject({ left: 0, scan: { state: "not repeated" } });
    await world.purge(id);
    expect(await db.read.select().from(db.t.erasures).where(eq(db.t.erasures.id, id))).toEqual([row]);
  });

  it("lets nobody write about the person from the first moment of the purge on", async () => {
    const { db } = test;
    const dora = canaryPerson();
    await plantPerson(dora);
    const { id } = await world.erasures.enter(dora.userId, { now: true, reason: "A letter." });
    const refused: unknown[] = [];
    let purging = true;
    const writing = (async () => {
      for (let version = 100; purging; version += 1) {
        const notice = { version, userId: dora.userId, queuedAt: new Date(world.clock.now()) };
        await db
          .tx((tx) => tx.insert(db.t.policyNotices).values(notice))
          .catch((error: unknown) => refused.push(error instanceof PerchError ? error.code : error));
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    })();
    await world.purge(id);
    purging = false;
    await writing;
    // By the fence, not for want of the account.
    expect(refused).toContain("account_closing");
    expect(await everythingOf(dora)).toEqual([]);
  });

  it("waits for a processor, says when it is late, and what the processor keeps", async () => {
    const { db } = test;
    const emil = canaryPerson();
    await plantPerson(emil);
    const until = new Date(Date.UTC(2026, 5, 1));
    let isUp = false;
    const asked: string[] = [];
    const processors = [
      {
        id: "partner",
        async erase(person: { email: string }) {
          asked.push(person.email);
          if (!isUp) throw new Error("It does not answer.");
          return { state: "retained", until, reason: "Its own law." } as const;
        },
      },
    ];
    const slow = erasureBench(db, { folder, master: MASTER, kept: world, processors });
    const { id } = await slow.erasures.enter(emil.userId, { now: true, reason: "A letter." });
    await expect(slow.purge(id)).rejects.toThrow("does not answer");
    const store = async () =>
      (await slow.erasures.current(emil.userId))?.steps.find((one) => one.store === "processor:partner");
    expect(await store()).toMatchObject({ state: "waiting" });
    world.clock.advance(25 * 3_600_000);
    await expect(slow.purge(id)).rejects.toThrow("does not answer");
    expect(await store()).toMatchObject({ state: "late" });
    expect(world.lines.at(-1)).toContain("An erasure is late");
    isUp = true;
    await slow.purge(id);
    expect(asked).toEqual([emil.email, emil.email, emil.email]);
    const [row] = await db.read.select().from(db.t.erasures).where(eq(db.t.erasures.id, id));
    expect(JSON.stringify(row?.certificate)).toContain(`"retainedUntil":"${until.toISOString()}"`);
    expect(world.lines.join("")).not.toContain(emil.email);
  });

  it("does not say that it is done while a phone leaves something behind", async () => {
    const fritz = canaryPerson();
    await plantPerson(fritz);
    const { id } = await world.erasures.enter(fritz.userId, { now: true, reason: "A letter." });
    world.driver.leavesTraces = true;
    await expect(world.purge(id)).rejects.toMatchObject({ code: "unavailable" });
    expect((await world.erasures.current(fritz.userId))?.state).toBe("purging");
    expect((await everythingOf(fritz)).length).toBeGreaterThan(20);
    world.driver.leavesTraces = false;
    await world.purge(id);
    expect(await everythingOf(fritz)).toEqual([]);
  });
});
