import { join } from "node:path";
import { eq, like, sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { addUser } from "../accounts/testing/people.ts";
import { createHealthRepo } from "../health/health.repo.ts";
import { isUniqueViolation } from "./database.ts";
import { shippedMigrations } from "./look.ts";
import { EVERY_ENGINE, MIGRATIONS, type TestDatabase } from "./testing.ts";

describe.each(EVERY_ENGINE)("database contract on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());

  const at = new Date(Date.UTC(2026, 0, 1, 2, 3, 4, 567));
  const makeTeam = async (name = "Team") => {
    const id = newId("team");
    await test.db.tx((tx) => tx.insert(test.db.t.teams).values({ id, name, createdAt: at }));
    return id;
  };
  const makePhone = async (teamId: Awaited<ReturnType<typeof makeTeam>>) => {
    const id = newId("phone");
    const { phones } = test.db.t;
    await test.db.tx((tx) =>
      tx.insert(phones).values({
        id,
        teamId,
        name: "日本 📱",
        driver: "web",
        profile: "tall",
        settings: { locale: "de-DE", geolocation: { latitude: 1.5, longitude: -2 } },
        rotated: true,
        state: "running",
        createdAt: at,
      }),
    );
    return id;
  };

  it("gives back text, booleans, json and moments exactly", async () => {
    const { phones } = test.db.t;
    const id = await makePhone(await makeTeam());
    const [row] = await test.db.read.select().from(phones).where(eq(phones.id, id));
    expect(row).toMatchObject({
      name: "日本 📱",
      rotated: true,
      settings: { locale: "de-DE", geolocation: { latitude: 1.5, longitude: -2 } },
      createdAt: at,
      startedAt: null,
    });
  });

  it("takes the small write that readiness is told by, again and again, and knows how far its tables are", async () => {
    const repo = createHealthRepo(test.db);
    const before = await test.db.read.$count(test.db.t.rateLimits);
    for (let times = 0; times < 3; times += 1) await repo.write("here 1", at.getTime());
    expect(await test.db.read.$count(test.db.t.rateLimits)).toBe(before + 1);
    expect(await repo.migrations()).toBe(shippedMigrations(join(MIGRATIONS, test.db.engine)));
  });

  it("keeps nothing of a transaction that throws", async () => {
    const { teams } = test.db.t;
    const id = newId("team");
    await expect(
      test.db.tx(async (tx) => {
        await tx.insert(teams).values({ id, name: "half", createdAt: at });
        throw new Error("stop");
      }),
    ).rejects.toThrow("stop");
    expect(await test.db.read.select().from(teams).where(eq(teams.id, id))).toEqual([]);
  });

  it("loses no update among concurrent read-modify-writes", async () => {
    const { topics } = test.db.t;
    await test.db.tx((tx) => tx.insert(topics).values({ topic: "count", seq: 0 }));
    await Promise.all(
      Array.from({ length: 12 }, () =>
        test.db.tx(async (tx) => {
          const [row] = await tx.select().from(topics).where(eq(topics.topic, "count"));
          await tx
            .update(topics)
            .set({ seq: (row?.seq ?? 0) + 1 })
            .where(eq(topics.topic, "count"));
        }),
      ),
    );
    const [row] = await test.db.read.select().from(topics).where(eq(topics.topic, "count"));
    expect(row?.seq).toBe(12);
  });

  it("lets everybody through who reads what all the others write", async () => {
    const { topics } = test.db.t;
    const isMine = like(topics.topic, "crowd %");
    let tries = 0;
    await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        test.db.tx(async (tx) => {
          tries += 1;
          const seq = await tx.$count(topics, isMine);
          await tx.insert(topics).values({ topic: `crowd ${n}`, seq });
        }),
      ),
    );
    // Without `crowding.ts` PostgreSQL tried three times each.
    expect(tries).toBeLessThanOrEqual(80);
    const rows = await test.db.read.select({ seq: topics.seq }).from(topics).where(isMine).orderBy(topics.seq);
    expect(rows.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  it("returns rows from inserts, updates on conflict and deletes", async () => {
    const { topics } = test.db.t;
    const bump = () =>
      test.db.tx((tx) =>
        tx
          .insert(topics)
          .values({ topic: "bump", seq: 1 })
          .onConflictDoUpdate({ target: topics.topic, set: { seq: sql`${topics.seq} + 1` } })
          .returning({ seq: topics.seq }),
      );
    expect(await bump()).toEqual([{ seq: 1 }]);
    expect(await bump()).toEqual([{ seq: 2 }]);
    expect(
      await test.db.tx((tx) => tx.delete(topics).where(eq(topics.topic, "bump")).returning({ seq: topics.seq })),
    ).toEqual([{ seq: 2 }]);
  });

  it("names a unique violation the same way", async () => {
    const id = await makeTeam();
    const error = await test.db
      .tx((tx) => tx.insert(test.db.t.teams).values({ id, name: "twice", createdAt: at }))
      .catch((caught: unknown) => caught);
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(new Error("other"))).toBe(false);
  });

  it("lets a partial unique index free an address after erasure", async () => {
    const insert = (deletedAt: Date | null) =>
      test.db.tx((tx) => addUser(test.db, tx, { id: newId("user"), email: "a@b.example", createdAt: at, deletedAt }));
    await insert(at);
    await insert(null);
    await expect(insert(null)).rejects.toSatisfy(isUniqueViolation);
  });

  it("removes what belongs to a removed team", async () => {
    const { phones, teams } = test.db.t;
    const teamId = await makeTeam();
    const id = await makePhone(teamId);
    await test.db.tx((tx) => tx.delete(teams).where(eq(teams.id, teamId)));
    expect(await test.db.read.select().from(phones).where(eq(phones.id, id))).toEqual([]);
  });

  it("serves prepared queries", async () => {
    const { teams } = test.db.t;
    const id = await makeTeam("prepared");
    const byId = test.db.read
      .select({ name: teams.name })
      .from(teams)
      .where(eq(teams.id, sql.placeholder("id")))
      .prepare();
    expect(await byId.execute({ id })).toEqual([{ name: "prepared" }]);
  });

  it("refuses to nest and refuses the reader inside a transaction", async () => {
    await expect(test.db.tx(() => test.db.tx(async () => 1))).rejects.toThrow(/inside a transaction/);
    await expect(test.db.tx(async () => test.db.read.select().from(test.db.t.teams))).rejects.toThrow(
      /inside a transaction/,
    );
    expect(await test.db.tx(async () => 2)).toBe(2);
  });
});
