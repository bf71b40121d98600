import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../../shared/ids.ts";
import { createPageLinks } from "../../accounts/page-links.ts";
import { createSessionsRepo } from "../../accounts/sessions.repo.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import type { NewMail } from "../../mail/mail.service.ts";
import { call, signIn, startTestServer } from "../../testing.ts";
import { clampAddMonths } from "./calendar.ts";
import { createInactivityRepo } from "./inactivity.repo.ts";
import { createInactivity, nextStep } from "./inactivity.service.ts";

const DAY_MS = 24 * 3_600_000;
const HOUR_MS = 3_600_000;

describe("steps towards the end of an account nobody uses", () => {
  it("come 60, 30 and 7 days before, to the day, when the server runs", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3000 }), (day) => {
        const lastSeenAt = new Date(Date.UTC(2020, 0, 1) + day * DAY_MS);
        const due = clampAddMonths(lastSeenAt.getTime(), 24);
        let account: { lastSeenAt: Date; notice: number | null; deletionAt: Date | null } = {
          lastSeenAt,
          notice: null,
          deletionAt: null,
        };
        const steps: [number, number][] = [];
        for (let now = due - 62 * DAY_MS + HOUR_MS / 2; now < due + DAY_MS; now += HOUR_MS) {
          const next = nextStep(account, now, 24);
          if (next === undefined) continue;
          steps.push([next.notice, Math.ceil((due - now) / DAY_MS) + 0]);
          account = { lastSeenAt, ...next };
        }
        expect(steps).toEqual([
          [60, 60],
          [30, 30],
          [7, 7],
          [0, 0],
        ]);
      }),
      { numRuns: 30 },
    );
  });

  it("leave everybody 60 days from the first notice and 7 from the last, however long the server was off", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 24 * 120 }), { minLength: 30, maxLength: 60 });
    fc.assert(
      fc.property(gaps, (hours) => {
        const lastSeenAt = new Date(Date.UTC(2024, 1, 29));
        let account: { lastSeenAt: Date; notice: number | null; deletionAt: Date | null } = {
          lastSeenAt,
          notice: null,
          deletionAt: null,
        };
        const at = new Map<number, number>();
        let now = lastSeenAt.getTime();
        for (const gap of hours) {
          now += gap * HOUR_MS;
          const next = nextStep(account, now, 24);
          if (next === undefined) continue;
          at.set(next.notice, now);
          account = { lastSeenAt, ...next };
        }
        const asked = at.get(0);
        if (asked === undefined) return;
        expect(asked).toBeGreaterThanOrEqual(clampAddMonths(lastSeenAt.getTime(), 24));
        expect(asked - (at.get(60) ?? Number.NaN)).toBeGreaterThanOrEqual(59 * DAY_MS);
        expect(asked - (at.get(7) ?? Number.NaN)).toBeGreaterThanOrEqual(6 * DAY_MS);
      }),
    );
  });
});

describe.each(TEST_ENGINES)("accounts nobody signs in to on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());

  async function walk(months: number, until: number, signsInOn?: number) {
    const { db } = test;
    const userId = newId("user");
    const email = `${userId.toLowerCase()}@x.example`;
    const start = Date.UTC(2026, 0, 15);
    const seen = new Date(start);
    await db.tx((tx) => addUser(db, tx, { id: userId, email, createdAt: seen, lastSeenAt: seen }));
    const mails: [number, string][] = [];
    const asked: number[] = [];
    let now = start;
    const sessions = createSessionsRepo(db);
    const inactivity = createInactivity({
      ...{ db, repo: createInactivityRepo(db), months, page: createPageLinks(new URL("https://perch.example")) },
      mail: {
        queue: async (_tx, mail: NewMail) => {
          if (mail.userId !== userId || mail.kind !== "inactive") return;
          expect(mail.recipient).toBe(email);
          mails.push([now, mail.data.deletedAt]);
        },
        wake() {},
      },
      askForErasure: async (_tx, id: UserId) => {
        if (id === userId) asked.push(now);
        return () => {};
      },
    });
    for (; now <= start + until * DAY_MS; now += DAY_MS) {
      if (signsInOn !== undefined && now === start + signsInOn * DAY_MS) {
        await db.tx((tx) => sessions.noteDay(tx, userId, new Date(now)));
        expect(await inactivity.deletionAt(userId)).toBeUndefined();
      }
      await inactivity.sweep.batch(now, 500);
    }
    await db.tx((tx) => tx.delete(db.t.users));
    const day = (at: number) => Math.round((at - start) / DAY_MS);
    return { mails: mails.map(([at, deletedAt]) => [day(at), deletedAt] as const), asked: asked.map(day) };
  }

  it("are told three times and then go, once", async () => {
    expect(await walk(3, 100)).toEqual({
      mails: [
        [30, "15 April 2026"],
        [60, "15 April 2026"],
        [83, "15 April 2026"],
      ],
      asked: [90],
    });
  });

  it("are left alone after any sign-in", async () => {
    expect(await walk(3, 100, 85)).toMatchObject({ mails: [{}, {}, {}], asked: [] });
  });

  it("stay for ever where the rule is off", async () => {
    expect(await walk(0, 100)).toEqual({ mails: [], asked: [] });
  });
});

describe("being here", () => {
  it("is noted to the day, by a sign-in, by use and by a token, and takes notices back", async () => {
    const server = await startTestServer();
    try {
      const person = await signIn(server);
      const { users } = server.db.t;
      const stored = async () => (await server.db.read.select().from(users)).find(({ id }) => id === person.userId);
      expect((await stored())?.lastSeenAt).toEqual(new Date(server.clock.now()));
      const noticed = { inactiveNotice: 60, inactiveDeletionAt: new Date(server.clock.now() + 60 * DAY_MS) };
      await server.db.tx((tx) => tx.update(users).set(noticed));
      const overview = () => call(server, "query", "privacy.overview", undefined, person.token);
      const before = await overview();
      expect(before.ok && before.data).toMatchObject({ inactiveDeletionAt: noticed.inactiveDeletionAt.toISOString() });
      server.clock.advance(DAY_MS + 5 * HOUR_MS);
      const after = await overview();
      expect(after.ok && after.data).not.toHaveProperty("inactiveDeletionAt");
      expect(await stored()).toMatchObject({
        lastSeenAt: new Date(server.clock.now() - 5 * HOUR_MS),
        inactiveNotice: null,
        inactiveDeletionAt: null,
      });
    } finally {
      await server.dispose();
    }
  });
});
