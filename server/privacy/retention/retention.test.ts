import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../../testing.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe("retention, walking the clock", () => {
  let server: TestServer;
  let person: TestPerson;
  beforeAll(async () => {
    server = await startTestServer();
    person = await signIn(server);
  });
  afterAll(() => server.dispose());

  /** The rows of a table by its name in code. */
  const rows = (name: keyof TestServer["db"]["t"]) => server.db.read.select().from(server.db.t[name]);
  const sweeps = async () => (await rows("jobs")).filter((job) => "kind" in job && job.kind === "retention.sweep");
  const liveSweeps = async () => (await sweeps()).filter((job) => "finishedAt" in job && job.finishedAt === null);
  /** Moves time and waits for the sweep of that hour. */
  const walk = async (ms: number) => {
    server.clock.advance(ms);
    const now = server.clock.now();
    await vi.waitFor(
      async () => {
        const done = (await sweeps()).some((job) => "createdAt" in job && job.createdAt?.getTime() === now);
        expect([done, await liveSweeps()]).toEqual([true, []]);
      },
      { timeout: 10_000, interval: 20 },
    );
  };

  it("forgets everything within its days and keeps what belongs to the account", async () => {
    const { t } = server.db;
    const at = new Date(server.clock.now());
    const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "kept-phone" }, person.token);
    if (!launched.ok) throw new Error(launched.error.message);
    const phoneId = (launched.data as { id: ReturnType<typeof newId<"phone">> }).id;
    const ticket = await call(server, "mutation", "screen.ticket", { phoneId, mode: "view" }, person.token);
    expect(ticket.ok).toBe(true);
    await server.db.tx(async (tx) => {
      const { userId, teamId } = person;
      await tx.insert(t.teamInvitations).values({
        ...{ id: newId("invitation"), teamId, role: "viewer" },
        ...{ email: "b@x.example", emailIndex: "b@x.example", emailShown: "b@x.example" },
        ...{ createdAt: at, expiresAt: at },
      });
      await tx.insert(t.decisions).values({
        ...{ id: newId("decision"), userId, kind: "sign_up", action: "allow", state: "in_force" },
        ...{ score: 0, signals: [], createdAt: at },
      });
      const aWeekOn = new Date(at.getTime() + 7 * DAY);
      await tx.insert(t.abuseCounts).values({ key: "k", count: 1, expiresAt: aWeekOn });
      const soon = new Date(at.getTime() + 60_000);
      await tx.insert(t.oneTimeTokens).values({ hash: "h", kind: "reset", userId, createdAt: at, expiresAt: soon });
      await tx.insert(t.connectCodes).values({
        hash: "h",
        userId,
        redirectUri: "https://x.example/",
        challenge: "c",
        authenticatedAt: at,
        createdAt: at,
        expiresAt: soon,
      });
      await tx.insert(t.mailOutbox).values({
        id: "m",
        userId,
        recipient: "anna@x.example",
        recipientIndex: "anna@x.example",
        kind: "confirm",
        state: "sent",
        createdAt: at,
        sentAt: at,
      });
    });
    const recording = await call(server, "mutation", "recordings.start", { phoneId }, person.token);
    expect(recording.ok).toBe(true);
    await apiToken(server, person, ["account"]);
    const dead = await apiToken(server, person, ["account"]);
    await server.db.tx((tx) =>
      tx
        .update(t.apiTokens)
        .set({ revokedAt: at })
        .where(eq(t.apiTokens.prefix, dead.slice(0, 8))),
    );
    const leaver = await signIn(server, "viewer", person.teamId);
    await call(server, "mutation", "account.signOut", undefined, leaver.token);

    await walk(HOUR);
    expect(await rows("streamTickets")).toEqual([]);
    expect((await rows("oneTimeTokens")).filter((row) => "hash" in row && row.hash === "h")).toEqual([]);
    expect(await rows("connectCodes")).toHaveLength(1);
    expect((await rows("events")).length).toBeGreaterThan(0);

    await walk(DAY);
    expect(await rows("connectCodes")).toEqual([]);
    // Parking for idleness is an event of a minute ago; nothing older than a day is left.
    for (const row of await rows("events")) {
      expect("at" in row && row.at && row.at.getTime()).toBeGreaterThanOrEqual(server.clock.now() - DAY);
    }
    await walk(2 * DAY);
    expect(await rows("idempotencyKeys")).toEqual([]);
    expect(await rows("rateLimits")).toEqual([]);
    expect(await rows("mailOutbox")).toHaveLength(1);
    expect(await rows("recordings")).toHaveLength(1);
    expect(await rows("abuseCounts")).toHaveLength(1);

    // A recording goes thirty days after its phone was parked, and a phone that is not idle is parked on the third day.
    await walk(31 * DAY);
    expect(await rows("recordings")).toEqual([]);
    expect(await rows("abuseCounts")).toEqual([]);
    expect(await rows("mailOutbox")).toEqual([]);
    expect((await rows("auditLog")).every((row) => "actor" in row && row.actor !== null)).toBe(true);

    await walk(90 * DAY);
    await walk(8 * DAY);
    for (const row of await rows("auditLog")) {
      if ("at" in row && row.at !== null) expect(row.at.getTime()).toBeGreaterThan(server.clock.now() - 90 * DAY);
    }
    expect(await rows("sessions")).toEqual([]);
    expect(await rows("teamInvitations")).toEqual([]);
    expect(await rows("decisions")).toEqual([]);
    expect(await rows("apiTokens")).toMatchObject([{ revokedAt: null }]);
    expect(await rows("phones")).toHaveLength(1);
    expect((await rows("users")).length).toBe(2);
    expect((await sweeps()).length).toBeLessThanOrEqual(2);
  });
});
