import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Role } from "../../shared/access.ts";
import { type CredentialId, newId } from "../../shared/ids.ts";
import { createApiTokensRepo } from "../accounts/api-tokens.repo.ts";
import { createSessionsRepo } from "../accounts/sessions.repo.ts";
import { createSessions } from "../accounts/sessions.service.ts";
import { addUser } from "../accounts/testing/people.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { createTickets } from "./tickets.repo.ts";

const LIFE = 30_000;

describe.each(TEST_ENGINES)("screen tickets on $name", (engine) => {
  let test: TestDatabase;
  const clock = new ManualClock();
  const ids = { userId: newId("user"), teamId: newId("team"), phoneId: newId("phone") };
  let sessionId: CredentialId;
  let tokenId: CredentialId;
  beforeAll(async () => {
    test = await engine.open();
    const { teams, teamMembers, phones } = test.db.t;
    const createdAt = new Date(clock.now());
    const { userId, teamId, phoneId } = ids;
    await test.db.tx(async (tx) => {
      await addUser(test.db, tx, { id: userId, email: "a@x.example", emailShown: "A@x.example", createdAt });
      await tx.insert(teams).values({ id: teamId, name: "Team", createdAt });
      await tx.insert(teamMembers).values({ teamId, userId, role: "owner", joinedAt: createdAt });
      await tx.insert(phones).values({
        id: phoneId,
        teamId,
        name: "Phone",
        driver: "web",
        profile: "tall",
        settings: {},
        rotated: false,
        state: "running",
        createdAt,
      });
    });
  });
  beforeEach(async () => {
    const { db } = test;
    const { userId, teamId } = ids;
    const sessions = createSessions({
      ...{ db, repo: createSessionsRepo(db), apiTokens: createApiTokensRepo(db) },
      ...{ audit: createAudit(db, clock, randomBytes(32)), clock },
    });
    const authenticatedAt = new Date(clock.now());
    const about = { requestId: "", ip: "127.0.0.1", userAgent: "" };
    await db.tx(async (tx) => {
      sessionId = (await sessions.create(tx, { userId, kind: "extension", method: "password", authenticatedAt, about }))
        .id;
      tokenId = (await sessions.createApiToken(tx, { userId, teamId, name: "t", scopes: ["phones:view"] })).id;
    });
  });
  afterAll(() => test.dispose());

  const tickets = () => createTickets(test.db, clock);
  const issue = (credentialId = sessionId) =>
    tickets().issue({ ...ids, credentialId, mode: "view", browser: true, expiresAt: clock.now() + LIFE });

  it("open one socket, however many try at once", async () => {
    const ticket = await issue();
    const grants = await Promise.all(Array.from({ length: 10 }, () => tickets().consume(ticket)));
    expect(grants.filter((grant) => grant !== undefined)).toEqual([
      { ...ids, credentialId: sessionId, mode: "view", browser: true, mayTake: true, name: "A@x.example" },
    ]);
    expect(await tickets().consume(ticket)).toBeUndefined();
  });

  it("open nothing that the person's role no longer allows", async () => {
    const { teamMembers } = test.db.t;
    const become = (role: Role) =>
      test.db.tx((tx) => tx.update(teamMembers).set({ role }).where(eq(teamMembers.userId, ids.userId)));
    const row = { ...ids, credentialId: sessionId, browser: true, expiresAt: clock.now() + LIFE };
    const [drive, look, late] = [
      await tickets().issue({ ...row, mode: "control" }),
      await tickets().issue({ ...row, mode: "view" }),
      await tickets().issue({ ...row, mode: "view" }),
    ];
    await become("viewer");
    expect(await tickets().consume(drive)).toBeUndefined();
    expect(await tickets().consume(look)).toMatchObject({ mode: "view", mayTake: false });
    await become("billing");
    expect(await tickets().consume(late)).toBeUndefined();
    await become("owner");
  });

  it("are kept as a hash only", async () => {
    const ticket = await issue();
    expect(JSON.stringify(await test.db.read.select().from(test.db.t.streamTickets))).not.toContain(ticket);
  });

  it("end after thirty seconds", async () => {
    const [early, late] = [await issue(), await issue()];
    clock.advance(LIFE - 1);
    expect(await tickets().consume(early)).toBeDefined();
    clock.advance(1);
    expect(await tickets().consume(late)).toBeUndefined();
  });

  it("end with the session or token that asked", async () => {
    const { sessions, apiTokens } = test.db.t;
    const ofSession = await issue();
    const [ofToken, second] = [await issue(tokenId), await issue(tokenId)];
    await test.db.tx((tx) => tx.update(sessions).set({ endedAt: new Date(clock.now()) }));
    expect(await tickets().consume(ofSession)).toBeUndefined();
    expect(await tickets().consume(ofToken)).toMatchObject({ credentialId: tokenId });
    await test.db.tx((tx) => tx.update(apiTokens).set({ revokedAt: new Date(clock.now()) }));
    expect(await tickets().consume(second)).toBeUndefined();
  });

  it("are refused when made up, and gone with the phone", async () => {
    expect(await tickets().consume("x".repeat(43))).toBeUndefined();
    const ticket = await issue();
    await test.db.tx((tx) => tx.delete(test.db.t.phones).where(eq(test.db.t.phones.id, ids.phoneId)));
    expect(await tickets().consume(ticket)).toBeUndefined();
  });
});
