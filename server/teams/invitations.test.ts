import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { InvitationId } from "../../shared/ids.ts";
import type { INVITED_ROLES } from "../../shared/teams.ts";
import { TEST_ENGINES, type TestDatabase, testSqlite } from "../db/testing.ts";
import type { TestPerson } from "../testing.ts";
import { MAX_OPEN_INVITATIONS } from "./invitations.service.ts";
import { createTestTeams, type TestTeams } from "./testing.ts";

const DAY_MS = 24 * 60 * 60_000;
const PASSWORD = "blaue gurken tanzen";

describe.each(TEST_ENGINES)("invitations on $name", (engine) => {
  let test: TestDatabase;
  let world: TestTeams;
  let owner: TestPerson;
  let guest: TestPerson;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    world = createTestTeams(test.db);
    owner = await world.person();
    guest = await world.person();
  });
  const invite = async (
    by: TestPerson = owner,
    email = world.address(guest),
    role: (typeof INVITED_ROLES)[number] = "operator",
  ) => world.pages.invitations.invite((await world.as(by))[1], { email, role, days: 3 });
  const accept = async (who: TestPerson, id: InvitationId) =>
    world.pages.invitations.accept(await world.actor(who), id);
  const received = async (who = guest) => world.pages.invitations.received(await world.actor(who));
  const tokenTo = async (email: string) => {
    const [link = ""] = await world.pages.linksTo(email);
    return new URL(link).searchParams.get("token") ?? "";
  };
  const isOpen = async (token: string) => (await world.pages.invitations.behindLink(token)) !== undefined;

  it("ABUSE-25 are accepted once by who confirmed the address, however often and at once it is tried", async () => {
    const { id } = await invite();
    expect(await received()).toMatchObject([{ id, role: "operator", teamName: "Team" }]);
    const stranger = await world.person();
    await expect(accept(stranger, id)).rejects.toMatchObject({ code: "not_found" });
    await Promise.all(Array.from({ length: 8 }, () => accept(guest, id)));
    expect((await world.roles(owner.teamId)).get(guest.userId)).toBe("operator");
    const { teamMembers, auditLog } = test.db.t;
    expect(await test.db.read.$count(teamMembers, eq(teamMembers.userId, guest.userId))).toBe(2);
    expect(await test.db.read.$count(auditLog, eq(auditLog.object, id))).toBe(2);
    await expect(accept(stranger, id)).rejects.toMatchObject({ code: "not_found" });
    expect(await received()).toEqual([]);
  });

  it("ABUSE-25 hold no secret in the database, and end with their time", async () => {
    const { id } = await invite();
    const token = await tokenTo(world.address(guest));
    const { teamInvitations } = test.db.t;
    const [row] = await test.db.read.select().from(teamInvitations).where(eq(teamInvitations.id, id));
    expect(JSON.stringify(row)).not.toContain(token);
    expect(await isOpen(token)).toBe(true);
    world.pages.clock.advance(3 * DAY_MS);
    expect(await isOpen(token)).toBe(false);
    const late = await world.person();
    await expect(accept(late, id)).rejects.toThrow("expired");
    expect(await received(await world.person())).toEqual([]);
  });

  it("ABUSE-25 sent again have a new link and a new end; the earlier link is dead", async () => {
    const { id, expiresAt } = await invite();
    const first = await tokenTo(world.address(guest));
    world.pages.clock.advance(4 * DAY_MS);
    const again = await world.person("owner", owner.teamId);
    const renewed = await world.pages.invitations.resend((await world.as(again))[1], id);
    expect(new Date(renewed.expiresAt).getTime() - new Date(expiresAt).getTime()).toBe(4 * DAY_MS);
    const second = await tokenTo(world.address(guest));
    expect([await isOpen(first), await isOpen(second)]).toEqual([false, true]);
  });

  it("ABUSE-25 that were withdrawn, declined or answered open nothing", async () => {
    const { id } = await invite();
    const token = await tokenTo(world.address(guest));
    const [, scope] = await world.as(owner);
    await expect(world.pages.invitations.withdraw((await world.as(await world.person()))[1], id)).rejects.toMatchObject(
      { code: "not_found" },
    );
    await world.pages.invitations.withdraw(scope, id);
    expect(await isOpen(token)).toBe(false);
    await expect(accept(guest, id)).rejects.toThrow("withdrawn");
    await expect(world.pages.invitations.resend(scope, id)).rejects.toMatchObject({ code: "not_found" });
    const another = await invite();
    await world.pages.invitations.decline(await world.actor(guest), another.id);
    await expect(accept(guest, another.id)).rejects.toMatchObject({ code: "not_found" });
    expect((await world.roles(owner.teamId)).has(guest.userId)).toBe(false);
  });

  it("ABUSE-25 die with their sender's right to send them", async () => {
    const admin = await world.person("admin", owner.teamId);
    const { id } = await invite(admin);
    const token = await tokenTo(world.address(guest));
    const [actor, scope] = await world.as(owner);
    await world.pages.teams.changeRole(actor, scope, admin.userId, "operator");
    expect(await isOpen(token)).toBe(false);
    await expect(accept(guest, id)).rejects.toMatchObject({ code: "not_found" });
    // Even when nothing withdrew it: the right is looked at when it is used.
    const other = await world.person("admin", owner.teamId);
    const second = await invite(other);
    const { teamMembers } = test.db.t;
    await test.db.tx((tx) =>
      tx.update(teamMembers).set({ role: "viewer" }).where(eq(teamMembers.userId, other.userId)),
    );
    await expect(accept(guest, second.id)).rejects.toMatchObject({ code: "not_found" });
    expect(await received()).toEqual([]);
  });

  it("ABUSE-25 never give more than the sender has, nor change the role of who is in already", async () => {
    const admin = await world.person("admin", owner.teamId);
    const stale = (await world.as(admin))[1];
    const [actor, scope] = await world.as(owner);
    await world.pages.teams.changeRole(actor, scope, admin.userId, "viewer");
    const input = { email: world.address(guest), role: "admin", days: 3 } as const;
    await expect(world.pages.invitations.invite(stale, input)).rejects.toMatchObject({ code: "forbidden" });
    const { id } = await invite(owner, world.address(guest), "viewer");
    await test.db.tx((tx) => world.pages.memberships.addMember(tx, owner.teamId, guest.userId, "admin"));
    await accept(guest, id);
    expect((await world.roles(owner.teamId)).get(guest.userId)).toBe("admin");
  });

  it("ABUSE-25 tell the team nothing of whether an address has an account", async () => {
    const [known, unknown] = [await invite(), await invite(owner, "nobody@x.example")];
    const shape = ({ id: _id, email: _email, ...rest }: typeof known) => rest;
    expect(shape(known)).toEqual(shape(unknown));
    const text = async (email: string) =>
      (await world.pages.mail.preview())
        .find(({ recipient }) => recipient === email)
        ?.text.replace(/token=[\w-]+/, "token=");
    expect(await text(world.address(guest))).toBe(await text("nobody@x.example"));
    await expect(invite()).rejects.toThrow("invited already");
  });

  it("ABUSE-25 join somebody without an account by the link alone, once", async () => {
    const email = `${owner.userId.toLowerCase()}.new@mailinator.com`;
    await invite(owner, email, "viewer");
    const token = await tokenTo(email);
    expect(await world.pages.invitations.behindLink(token)).toMatchObject({ email, hasAccount: false });
    const about = { requestId: "", ip: "127.0.0.1", userAgent: "test" };
    const join = (password = PASSWORD) => world.pages.invitations.acceptWithNewAccount({ token, password }, about);
    await expect(join("short")).rejects.toMatchObject({ code: "bad_input" });
    const results = await Promise.allSettled([join(), join()]);
    expect(results.filter(({ status }) => status === "fulfilled").length).toBe(1);
    const [session] = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const actor = await world.actor({ token: session?.token ?? "" });
    // An invitation is no way around being judged.
    const { decisions } = test.db.t;
    expect(await test.db.read.$count(decisions, eq(decisions.userId, actor.userId))).toBe(1);
    expect(actor).toMatchObject({ teamId: owner.teamId, role: "viewer" });
    expect(await world.pages.teams.list(actor)).toHaveLength(2);
    await expect(join()).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("invitations", () => {
  let test: TestDatabase;
  let world: TestTeams;
  let owner: TestPerson;
  beforeAll(async () => {
    test = await testSqlite.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    world = createTestTeams(test.db);
    owner = await world.person();
  });
  const invite = async (email: string) =>
    world.pages.invitations.invite((await world.as(owner))[1], { email, role: "viewer", days: 14 });

  it("are at most fifty at once, and not too many in a row", async () => {
    for (let n = 0; n < 20; n += 1) await invite(`n${n}@x.example`);
    await expect(invite("n20@x.example")).rejects.toMatchObject({ code: "rate_limited" });
    for (let n = 20; n < MAX_OPEN_INVITATIONS; n += 1) {
      world.pages.clock.advance(60_000);
      await invite(`n${n}@x.example`);
    }
    world.pages.clock.advance(60_000);
    await expect(invite("one-more@x.example")).rejects.toThrow("Withdraw one first");
  });

  it("do not fill one mailbox, whatever teams they come from", async () => {
    const send = async () => {
      const by = await world.person();
      return world.pages.invitations.invite((await world.as(by))[1], { email: "v@x.example", role: "viewer", days: 1 });
    };
    for (let n = 0; n < 3; n += 1) await send();
    await expect(send()).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("carry no words that a mail program makes a link of", async () => {
    // The preview shows the newest mails, and those of the tests before are many.
    world.pages.clock.advance(DAY_MS);
    const { users, teams } = test.db.t;
    await test.db.tx(async (tx) =>
      tx
        .update(users)
        .set(await test.db.keys.row(tx, users, { fullName: "Prize at evil.example" }, owner.userId))
        .where(eq(users.id, owner.userId)),
    );
    await invite("a@x.example");
    const mail = (await world.pages.mail.preview()).find(({ recipient }) => recipient === "a@x.example");
    expect(mail?.text).not.toContain("evil.example");
    expect(mail?.text).toContain(world.address(owner));
    await test.db.tx((tx) => tx.update(teams).set({ name: "See evil.example" }).where(eq(teams.id, owner.teamId)));
    await expect(invite("b@x.example")).rejects.toThrow("Rename the team");
  });

  it("refuse who is in the team already", async () => {
    const member = await world.person("viewer", owner.teamId);
    await expect(invite(world.address(member).toUpperCase())).rejects.toThrow("in the team already");
  });
});
