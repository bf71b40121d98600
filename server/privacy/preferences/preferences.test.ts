import { and, eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import type { ERASURE_STATES } from "../../../shared/privacy.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { createTickets } from "../../screen/tickets.repo.ts";
import { createStandingScope } from "../../teams/team-scope.ts";
import { createTestTeams, type TestTeams } from "../../teams/testing.ts";
import type { TestPerson } from "../../testing.ts";
import type { PrivacyPreferences } from "./preferences.service.ts";
import { STOP_JOB } from "./stop-work.ts";

describe.each(TEST_ENGINES)("what a person chose, disputed and corrected, on $name", (engine) => {
  let test: TestDatabase;
  let world: TestTeams;
  let anna: TestPerson;
  let preferences: PrivacyPreferences;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    await test.db.tx(async (tx) => {
      for (const table of [test.db.t.mailOutbox, test.db.t.jobs]) await tx.delete(table);
    });
    world = createTestTeams(test.db);
    anna = await world.person();
    preferences = world.pages.asked.preferences;
  });

  const actor = () => world.actor(anna);
  const actions = async () => {
    const { auditLog } = test.db.t;
    const rows = await test.db.read
      .select()
      .from(auditLog)
      .where(and(eq(auditLog.chain, anna.teamId), eq(auditLog.object, anna.userId)));
    return rows.map(({ action }) => action);
  };
  const stops = async () => {
    const { jobs } = test.db.t;
    return (await test.db.read.select().from(jobs).where(eq(jobs.kind, STOP_JOB))).map(({ input }) => input);
  };

  it("is nothing at first, changes one switch at a time, and is recorded when it changes only", async () => {
    expect(await preferences.of(anna.userId)).toEqual({ restricted: false, metrics: true });
    expect(await preferences.change(await actor(), {})).toEqual({ restricted: false, metrics: true });
    expect(await preferences.change(await actor(), { metrics: true, restricted: false })).toMatchObject({
      metrics: true,
    });
    expect(await actions()).toEqual([]);
    expect(await preferences.change(await actor(), { metrics: false })).toEqual({ restricted: false, metrics: false });
    expect(await stops()).toEqual([]);
    expect(await preferences.change(await actor(), { restricted: true })).toEqual({ restricted: true, metrics: false });
    expect(await preferences.change(await actor(), { restricted: true })).toEqual({ restricted: true, metrics: false });
    expect(await stops()).toEqual([{ userId: anna.userId }]);
    expect((await actor()).standing).toBe("restricted");
    await preferences.change(await actor(), { restricted: false, metrics: true });
    expect(await preferences.of(anna.userId)).toEqual({ restricted: false, metrics: true });
    expect((await actor()).standing).toBe("active");
    expect(await actions()).toEqual([
      ...["privacy.metrics_left", "privacy.restricted", "privacy.unrestricted", "privacy.metrics_joined"],
    ]);
  });

  it("keeps when the use was stopped, for as long as it is", async () => {
    const stoppedAt = async () => {
      const { privacyPreferences } = test.db.t;
      const [row] = await test.db.read
        .select()
        .from(privacyPreferences)
        .where(eq(privacyPreferences.userId, anna.userId));
      return row?.restrictedAt?.getTime();
    };
    const at = world.pages.clock.now();
    await preferences.change(await actor(), { restricted: true });
    world.pages.clock.advance(60_000);
    await preferences.change(await actor(), { restricted: true, metrics: false });
    expect(await stoppedAt()).toBe(at);
    await preferences.change(await actor(), { restricted: false });
    await preferences.change(await actor(), { restricted: true });
    expect(await stoppedAt()).toBe(at + 60_000);
  });

  it("attaches statements to categories there are, and takes back one's own only", async () => {
    const dispute = async (category: string, text: string) => preferences.dispute(await actor(), { category, text });
    await expect(dispute("user.shoe_size", "43")).rejects.toThrow("no such category");
    await expect(dispute("system.operations", "x")).rejects.toThrow("no such category");
    await expect(dispute("user.name", "4242424242424242")).rejects.toThrow("card number");
    const stated = await dispute("user.behavior", "It was my brother.");
    expect(stated).toMatchObject({ label: "What you did in the product", text: "It was my brother." });
    expect(await preferences.statements(anna.userId)).toEqual([stated]);
    const other = await world.person();
    expect(await preferences.statements(other.userId)).toEqual([]);
    await expect(preferences.removeStatement(await world.actor(other), stated.id)).rejects.toMatchObject({
      code: "not_found",
    });
    await expect(preferences.removeStatement(await actor(), newId("statement"))).rejects.toThrow("no such statement");
    const { id: _id, label: _label, ...given } = stated;
    const more = Array.from({ length: 49 }, () => ({ ...given, id: newId("statement"), userId: anna.userId }));
    await test.db.tx(async (tx) => {
      const { statements } = test.db.t;
      for (const row of more) {
        await tx.insert(statements).values(await test.db.keys.row(tx, statements, { ...row, at: new Date(row.at) }));
      }
    });
    await expect(dispute("user.behavior", "one more")).rejects.toMatchObject({ code: "limit_reached" });
    await preferences.removeStatement(await actor(), stated.id);
    expect(await preferences.statements(anna.userId)).toHaveLength(49);
    expect((await actions()).slice(-2)).toEqual(["privacy.statement_added", "privacy.statement_removed"]);
  });

  it("corrects the name at once, and the address once the new one confirms it", async () => {
    await preferences.rectify(await actor(), { field: "fullName", value: "Anna Berg" });
    await preferences.rectify(await actor(), { field: "email", value: `new-${world.address(anna)}` });
    const { users } = test.db.t;
    const [row] = await test.db.read.select().from(users).where(eq(users.id, anna.userId));
    expect(row).toMatchObject({ fullName: "Anna Berg", email: world.address(anna) });
    const subjects = (await world.pages.mail.preview()).map(({ recipient, subject }) => [recipient, subject]);
    expect(subjects.map(([recipient]) => recipient).toSorted()).toEqual(
      [`new-${world.address(anna)}`, world.address(anna)].toSorted(),
    );
    expect(await actions()).toEqual(["account.profile_changed", "account.email_change_asked"]);
  });

  describe("whether anything may be done for them", () => {
    let colleague: TestPerson;
    beforeEach(async () => {
      colleague = await world.person("operator", anna.teamId);
    });

    const at = () => new Date(world.pages.clock.now());
    const restrict = (restrictedAt: Date | null) =>
      test.db.tx((tx) =>
        tx
          .insert(test.db.t.privacyPreferences)
          .values({ userId: anna.userId, restrictedAt, changedAt: at() })
          .onConflictDoUpdate({ target: test.db.t.privacyPreferences.userId, set: { restrictedAt } }),
      );
    const erasure = (state: (typeof ERASURE_STATES)[number]) =>
      test.db.tx((tx) =>
        tx
          .insert(test.db.t.erasures)
          .values({ id: newId("erasure"), userId: anna.userId, state, askedAt: at(), purgeAt: at() }),
      );
    const tokenOf = async ({ userId, teamId }: TestPerson) => {
      const input = { userId, teamId, name: "CI", scopes: ["phones:view"] } as const;
      return test.db.tx((tx) => world.pages.sessions.createApiToken(tx, input));
    };

    it("is told by session, API token and standing scope alike, and only about the person", async () => {
      const token = await tokenOf(anna);
      const standing = createStandingScope(world.pages.memberships);
      const seen = async () => ({
        session: (await world.actor(anna)).standing,
        token: (await world.actor(token)).standing,
        scope: (await standing(anna.teamId, anna.userId)) !== undefined,
      });
      expect(await seen()).toEqual({ session: "active", token: "active", scope: true });
      await restrict(at());
      expect(await seen()).toEqual({ session: "restricted", token: "restricted", scope: false });
      await restrict(null);
      expect(await seen()).toEqual({ session: "active", token: "active", scope: true });
      await restrict(at());
      for (const over of ["done", "undone"] as const) await erasure(over);
      expect(await seen()).toEqual({ session: "restricted", token: "restricted", scope: false });
      await erasure("grace");
      expect(await seen()).toEqual({ session: "closing", token: "closing", scope: false });
      expect((await world.actor(colleague)).standing).toBe("active");
      expect(await standing(anna.teamId, colleague.userId)).toBeDefined();
    });

    it("is `closing` while the account is purged", async () => {
      await erasure("purging");
      expect((await world.actor(anna)).standing).toBe("closing");
    });

    it("takes back screen tickets that were given before", async () => {
      const tickets = createTickets(test.db, world.pages.clock);
      const phoneId = newId("phone");
      await test.db.tx((tx) =>
        tx.insert(test.db.t.phones).values({
          ...{ id: phoneId, teamId: anna.teamId, name: "Phone", driver: "web", profile: "tall", settings: {} },
          ...{ rotated: false, state: "running", createdAt: at() },
        }),
      );
      const ticketOf = (person: TestPerson) =>
        tickets.issue({
          ...{ credentialId: person.sessionId, userId: person.userId, teamId: person.teamId, phoneId },
          ...{ mode: "view", browser: true, expiresAt: world.pages.clock.now() + 30_000 },
        });
      const [mine, theirs] = [await ticketOf(anna), await ticketOf(colleague)];
      await restrict(at());
      expect(await tickets.consume(mine)).toBeUndefined();
      expect(await tickets.consume(theirs)).toMatchObject({ userId: colleague.userId });
    });
  });
});
