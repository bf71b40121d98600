import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Role } from "../../shared/access.ts";
import { newId } from "../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import type { TestPerson } from "../testing.ts";
import type { AccessChange } from "./access-changes.ts";
import { createStandingScope, STEP_UP_MS } from "./team-scope.ts";
import { MAX_OWNED_TEAMS } from "./teams.service.ts";
import { createTestTeams, type TestTeams } from "./testing.ts";

describe.each(TEST_ENGINES)("teams on $name", (engine) => {
  let test: TestDatabase;
  let world: TestTeams;
  let owner: TestPerson;
  let told: AccessChange[];
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    world = createTestTeams(test.db);
    owner = await world.person();
    world.pages.clock.advance(1_000);
    told = [];
    world.pages.accessChanges.onChanged((change) => told.push(change));
  });
  const changeRole = async (by: TestPerson, of: TestPerson, to: Role) =>
    world.pages.teams.changeRole(...(await world.as(by)), of.userId, to);
  const remove = async (by: TestPerson, of: TestPerson) =>
    world.pages.teams.removeMember(...(await world.as(by)), of.userId);
  const leave = async (who: TestPerson) => world.pages.teams.leave(...(await world.as(who, "team:view")));
  const transfer = async (by: TestPerson, to: TestPerson) =>
    world.pages.teams.transferOwnership(...(await world.as(by, "team:own")), to.userId);
  const listed = async (who: TestPerson) => world.pages.teams.list(await world.actor(who));
  const owners = async (teamId = owner.teamId) =>
    [...(await world.roles(teamId))].filter(([, role]) => role === "owner").length;
  const mailsTo = async (who: TestPerson) =>
    (await world.pages.mail.preview()).filter(({ recipient }) => recipient === world.address(who));
  const settled = async (work: readonly Promise<unknown>[]) => {
    const results = await Promise.allSettled(work);
    return {
      done: results.filter(({ status }) => status === "fulfilled").length,
      words: results.flatMap((result) => (result.status === "rejected" ? [String(result.reason.message)] : [])),
    };
  };

  it("are made, named, switched between and closed", async () => {
    const { teams } = world.pages;
    const made = await teams.create(await world.actor(owner), "Shop");
    expect(made).toMatchObject({ name: "Shop", role: "owner", current: true });
    expect((await world.actor(owner)).teamId).toBe(made.id);
    await teams.rename((await world.as(owner))[1], "Shop floor");
    expect(await listed(owner)).toMatchObject([
      { id: owner.teamId, current: false },
      { id: made.id, name: "Shop floor", current: true },
    ]);
    await teams.switchTo(await world.actor(owner), owner.teamId);
    for (const teamId of [owner.teamId, made.id]) {
      expect(told).toContainEqual({ kind: "session", teamId, sessionId: owner.sessionId });
    }
    await teams.switchTo(await world.actor(owner), made.id);
    await teams.close(...(await world.as(owner, "team:own")));
    expect(await listed(owner)).toMatchObject([{ id: owner.teamId, current: true }]);
    await expect(teams.close(...(await world.as(owner, "team:own")))).rejects.toThrow("every person has a team");
    await expect(teams.switchTo(await world.actor(owner), newId("team"))).rejects.toThrow("You are in no such team.");
    await expect(teams.switchTo(await world.actor(owner), (await world.person()).teamId)).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("are no more than ten a person owns, so that nobody multiplies their share of phones", async () => {
    const actor = () => world.actor(owner);
    for (let n = 1; n < MAX_OWNED_TEAMS; n += 1) await world.pages.teams.create(await actor(), `Team ${n}`);
    await expect(world.pages.teams.create(await actor(), "One more")).rejects.toThrow("Close one first.");
  });

  it("close only without phones, and leave every member a team", async () => {
    const { teams } = world.pages;
    const guest = await world.person("viewer", owner.teamId);
    await teams.create(await world.actor(owner), "Another");
    await teams.switchTo(await world.actor(owner), owner.teamId);
    const { phones } = test.db.t;
    const id = newId("phone");
    await test.db.tx((tx) =>
      tx.insert(phones).values({
        ...{ id, teamId: owner.teamId, name: "P", driver: "web", profile: "tall", settings: {}, rotated: false },
        ...{ state: "removed", createdAt: new Date() },
      } as typeof phones.$inferInsert),
    );
    await expect(teams.close(...(await world.as(owner, "team:own")))).rejects.toThrow("still has phones");
    await test.db.tx((tx) => tx.delete(phones).where(eq(phones.id, id)));
    await teams.close(...(await world.as(owner, "team:own")));
    expect(await listed(guest)).toMatchObject([{ role: "owner", current: true }]);
    expect((await mailsTo(guest)).map(({ subject }) => subject)).toEqual(["You are no longer in a team"]);
  });

  it("show members what they may know", async () => {
    const viewer = await world.person("viewer", owner.teamId);
    const { passkeys } = test.db.t;
    await test.db.tx((tx) =>
      tx.insert(passkeys).values({
        ...{ id: newId("passkey"), userId: viewer.userId, credentialId: viewer.userId, publicKey: new Uint8Array(1) },
        ...{ counter: 0, transports: [], backedUp: false, name: "Laptop", createdAt: new Date() },
      }),
    );
    const input = { email: "new@x.example", role: "viewer", days: 7 } as const;
    await world.pages.invitations.invite((await world.as(owner))[1], input);
    const seen = await world.pages.teams.get(...(await world.as(owner, "team:view")));
    expect(seen.members).toMatchObject([
      { userId: owner.userId, role: "owner", isMe: true, hasSecondFactor: false },
      { userId: viewer.userId, role: "viewer", isMe: false, hasSecondFactor: true },
    ]);
    expect(seen.invitations).toMatchObject([{ email: "new@x.example", role: "viewer", expired: false }]);
    const less = await world.pages.teams.get(...(await world.as(viewer, "team:view")));
    expect(less.invitations).toEqual([]);
    expect(less.members.every((member) => member.hasSecondFactor === undefined)).toBe(true);
  });

  describe("roles", () => {
    it("are given and changed by who reaches them, as they are in that moment", async () => {
      const admin = await world.person("admin", owner.teamId);
      const operator = await world.person("operator", owner.teamId);
      await changeRole(admin, operator, "admin");
      await changeRole(operator, admin, "operator");
      const stale = await world.as(operator);
      await changeRole(owner, operator, "viewer");
      await expect(world.pages.teams.changeRole(...stale, admin.userId, "viewer")).rejects.toThrow("any more");
      await changeRole(owner, operator, "admin");
      await expect(changeRole(operator, admin, "owner")).rejects.toThrow("you cannot give the role owner");
      await expect(changeRole(operator, operator, "owner")).rejects.toMatchObject({ code: "forbidden" });
      await expect(changeRole(operator, owner, "viewer")).rejects.toThrow("Admins cannot change owners");
      await expect(remove(operator, owner)).rejects.toThrow("Admins cannot change owners");
      await expect(changeRole(owner, await world.person(), "viewer")).rejects.toMatchObject({ code: "not_found" });
      expect(await world.roles(owner.teamId)).toEqual(
        new Map<string, Role>([
          [owner.userId, "owner"],
          [admin.userId, "operator"],
          [operator.userId, "admin"],
        ]),
      );
    });

    it("of owners change only with a fresh proof, and every owner hears of a new one", async () => {
      const admin = await world.person("admin", owner.teamId);
      world.pages.clock.advance(STEP_UP_MS + 1);
      await expect(changeRole(owner, admin, "owner")).rejects.toMatchObject({ code: "step_up_required" });
      await expect(transfer(owner, admin)).rejects.toMatchObject({ code: "step_up_required" });
      await changeRole(owner, admin, "operator");
      const fresh = await world.person("owner", owner.teamId);
      await transfer(fresh, admin);
      expect((await world.roles(owner.teamId)).get(fresh.userId)).toBe("admin");
      for (const who of [owner, fresh, admin]) {
        expect((await mailsTo(who)).map(({ subject }) => subject)).toEqual(["A team has a new owner"]);
      }
    });
  });

  describe("the last owner", () => {
    it("ABUSE-27 neither leaves, nor steps down, nor closes the only team there is", async () => {
      const second = await world.member("admin", owner.teamId);
      await expect(changeRole(owner, owner, "admin")).rejects.toThrow("You are the only owner");
      await expect(leave(owner)).rejects.toThrow("every person has a team");
      await world.pages.teams.create(await world.actor(owner), "Another");
      await world.pages.teams.switchTo(await world.actor(owner), owner.teamId);
      await expect(leave(owner)).rejects.toThrow("You are the only owner");
      await transfer(owner, second);
      await leave(owner);
      expect(await world.roles(owner.teamId)).toEqual(new Map([[second.userId, "owner"]]));
    });

    it("ABUSE-27 is there whatever two owners do at once", async () => {
      const acts: ((a: TestPerson, b: TestPerson) => Promise<void>)[] = [
        leave,
        (a) => changeRole(a, a, "viewer"),
        (a, b) => changeRole(a, b, "admin"),
        remove,
      ];
      for (const [index, act] of acts.entries()) {
        const home = await world.person("viewer");
        const team = await world.pages.teams.create(await world.actor(home), `Team ${index}`);
        const [a, b] = [await world.member("owner", team.id), await world.member("owner", team.id)];
        await leave(home);
        const { done, words } = await settled([act(a, b), act(b, a)]);
        expect([done, await owners(team.id)], `${index}: ${words.join()}`).toEqual([1, 1]);
      }
    });
  });

  describe("a member who is removed", () => {
    it("ABUSE-26 keeps no token, ticket, invitation or standing right, and gets a team of their own", async () => {
      const admin = await world.person("admin", owner.teamId);
      const { sessions, invitations, memberships } = world.pages;
      const standing = createStandingScope(memberships);
      const issued = await test.db.tx((tx) =>
        sessions.createApiToken(tx, { userId: admin.userId, teamId: owner.teamId, name: "CI", scopes: ["account"] }),
      );
      await invitations.invite((await world.as(admin))[1], { email: "mine@x.example", role: "viewer", days: 7 });
      await invitations.invite((await world.as(owner))[1], { email: "theirs@x.example", role: "viewer", days: 7 });
      expect(await standing(owner.teamId, admin.userId)).toBeDefined();
      await remove(owner, admin);
      await expect(world.actor({ token: issued.token })).rejects.toThrow("ended");
      expect(await standing(owner.teamId, admin.userId)).toBeUndefined();
      const view = await world.pages.teams.get(...(await world.as(owner, "team:view")));
      expect(view.invitations.map(({ email }) => email)).toEqual(["theirs@x.example"]);
      expect(told).toContainEqual({ kind: "member", teamId: owner.teamId, userId: admin.userId });
      expect(await listed(admin)).toMatchObject([{ role: "owner", current: true }]);
      expect((await mailsTo(admin)).map(({ subject }) => subject)).toEqual(["You are no longer in a team"]);
      expect(await world.pages.audit.verify(owner.teamId)).not.toHaveProperty("brokenAt");
    });

    it("ABUSE-26 or may do less, loses what rested on the right alone", async () => {
      const admin = await world.person("admin", owner.teamId);
      const { sessions, invitations } = world.pages;
      const issued = await test.db.tx((tx) =>
        sessions.createApiToken(tx, { userId: admin.userId, teamId: owner.teamId, name: "CI", scopes: ["account"] }),
      );
      await invitations.invite((await world.as(admin))[1], { email: "mine@x.example", role: "viewer", days: 7 });
      await changeRole(owner, admin, "operator");
      expect((await world.actor({ token: issued.token })).role).toBe("operator");
      const open = async () => (await world.pages.teams.get(...(await world.as(owner, "team:view")))).invitations;
      expect(await open()).toEqual([]);
      await changeRole(owner, admin, "viewer");
      await expect(world.actor({ token: issued.token })).rejects.toThrow("ended");
      expect(told).toContainEqual({ kind: "member", teamId: owner.teamId, userId: admin.userId, role: "viewer" });
    });
  });

  it("ask for a second factor only when whoever asks has one", async () => {
    const { teams } = world.pages;
    const [actor, scope] = await world.as(owner, "team:own");
    await expect(teams.requireSecondFactor(actor, scope, true)).rejects.toThrow("lock you out of your own team");
    const member = await world.person("operator", owner.teamId);
    await teams.requireSecondFactor({ ...actor, method: "passkey" }, scope, true);
    expect((await world.actor(member)).lacksSecondFactor).toBe(true);
    expect(told).toContainEqual({ kind: "session", teamId: owner.teamId, sessionId: member.sessionId });
    await teams.requireSecondFactor(actor, scope, false);
    expect((await world.actor(member)).lacksSecondFactor).toBe(false);
  });

  it("keep an API token where it was made", async () => {
    const { sessions, teams } = world.pages;
    await teams.create(await world.actor(owner), "Another");
    const { token } = await test.db.tx((tx) =>
      sessions.createApiToken(tx, { userId: owner.userId, teamId: owner.teamId, name: "CI", scopes: ["team"] }),
    );
    const actor = await world.actor({ token });
    expect(await teams.list(actor)).toMatchObject([{ id: owner.teamId }]);
    await expect(teams.switchTo(actor, owner.teamId)).rejects.toThrow("stays in its team");
    await expect(teams.create(actor, "Its own")).rejects.toThrow("stays in its team");
    await expect(teams.leave(...(await world.as({ token }, "team:view")))).rejects.toThrow("cannot leave a team");
    const other = await world.person("admin", owner.teamId);
    const [tokenActor, scope] = await world.as({ token });
    await expect(teams.changeRole(tokenActor, scope, other.userId, "owner")).rejects.toThrow("may not change owners");
  });
});
