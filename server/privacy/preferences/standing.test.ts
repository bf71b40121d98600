import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import type { ERASURE_STATES } from "../../../shared/privacy.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { createTickets } from "../../screen/tickets.repo.ts";
import { createStandingScope } from "../../teams/team-scope.ts";
import { createTestTeams, type TestTeams } from "../../teams/testing.ts";
import type { TestPerson } from "../../testing.ts";

describe.each(TEST_ENGINES)("whether data may be used, on $name", (engine) => {
  let test: TestDatabase;
  let world: TestTeams;
  let anna: TestPerson;
  let colleague: TestPerson;
  beforeAll(async () => {
    test = await engine.open();
    world = createTestTeams(test.db);
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    anna = await world.person();
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
