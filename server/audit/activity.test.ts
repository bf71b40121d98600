import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Activity, type ActivityInput, activityInput } from "../../shared/activity.ts";
import { newId, type PhoneId } from "../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { AUDIT_KEY } from "../http/pages/testing.ts";
import { createTestTeams, type TestTeams } from "../teams/testing.ts";
import type { TestPerson } from "../testing.ts";
import type { AuditEntry } from "./audit.repo.ts";
import { activitySweep } from "./pruning.repo.ts";

const DAY_MS = 24 * 60 * 60_000;

describe.each(TEST_ENGINES)("activity on $name", (engine) => {
  let test: TestDatabase;
  let world: TestTeams;
  let owner: TestPerson;
  let member: TestPerson;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    world = createTestTeams(test.db);
    owner = await world.person();
    member = await world.person("operator", owner.teamId);
  });
  const record = async (action: AuditEntry["action"], more: Partial<AuditEntry> = {}) => {
    world.pages.clock.advance(1_000);
    await test.db.tx((tx) =>
      world.pages.audit.record(tx, { chain: owner.teamId, actor: member.userId, action, ...more }),
    );
  };
  const team = async (who: TestPerson, input: ActivityInput = {}) =>
    world.pages.activity.team(...(await world.as(who, "team:activity")), activityInput.parse(input));
  const mine = async (who: TestPerson, input: ActivityInput = {}) =>
    world.pages.activity.mine(await world.actor(who), activityInput.parse(input));
  const sentences = ({ entries }: Activity) => entries.map(({ actor, words }) => `${actor.name} ${words}`);
  const phone = async (): Promise<PhoneId> => {
    const { phones } = test.db.t;
    const id = newId("phone");
    await test.db.tx((tx) =>
      tx.insert(phones).values({
        ...{ id, teamId: owner.teamId, name: "Shop phone", driver: "web", profile: "tall", settings: {} },
        ...{ rotated: false, state: "running", createdAt: new Date(world.pages.clock.now()) },
      } as typeof phones.$inferInsert),
    );
    return id;
  };

  it("says who did what to which thing, the newest first", async () => {
    const id = await phone();
    await record("phone.launched", { object: id });
    await record("phone.driven", { object: id, actor: owner.userId });
    await record("team.role_changed", { object: member.userId, detail: { from: "viewer", to: "operator" } });
    await record("phone.parked", { object: id, actor: "server" });
    await record("flow.saved", { object: newId("flow"), actor: newId("user") });
    const name = world.address(member);
    const seen = await team(member);
    expect(sentences(seen)).toEqual([
      "A former member saved an automation",
      "The server parked a phone",
      `${name} changed a member's role from viewer to operator`,
      `${world.address(owner)} drove a phone`,
      `${name} launched a phone`,
    ]);
    expect(seen.entries[4]).toMatchObject({
      group: "phones",
      object: { id, name: "Shop phone" },
      actor: { isMe: true },
    });
    expect(seen.entries[2]?.object?.name).toBe(name);
    expect(seen.entries[0]?.object?.name).toBeUndefined();
  });

  it("is chosen by group, person, thing and time", async () => {
    const [one, two] = [newId("phone"), newId("phone")];
    await record("phone.launched", { object: one });
    await record("phone.driven", { object: two, actor: owner.userId });
    const from = new Date(world.pages.clock.now()).toISOString();
    await record("run.started", { object: newId("run") });
    const to = new Date(world.pages.clock.now()).toISOString();
    await record("phone.parked", { object: one });
    const actions = async (input: ActivityInput) => (await team(owner, input)).entries.map(({ action }) => action);
    expect(await actions({ group: "automations" })).toEqual(["run.started"]);
    expect(await actions({ actor: owner.userId })).toEqual(["phone.driven"]);
    expect(await actions({ object: one })).toEqual(["phone.parked", "phone.launched"]);
    expect(await actions({ from, to })).toEqual(["run.started", "phone.driven"]);
    expect(await actions({ group: "phones", actor: member.userId, object: one, to })).toEqual(["phone.launched"]);
  });

  it("keeps from a team how its members sign in, and from everybody another team's chain", async () => {
    await record("account.signed_in", { object: newId("session"), actor: owner.userId });
    await record("session.revoked", { object: newId("session"), actor: member.userId });
    await record("phone.launched");
    expect((await team(member)).entries.map(({ action }) => action)).toEqual(["phone.launched", "session.revoked"]);
    expect((await team(owner)).entries.map(({ action }) => action)).toEqual(["phone.launched", "account.signed_in"]);
    expect((await team(owner, { group: "account", actor: member.userId })).entries).toEqual([]);
    const stranger = await world.person();
    expect((await team(stranger)).entries).toEqual([]);
    expect((await mine(stranger)).entries).toEqual([]);
  });

  it("shows a person what was done to their account and read of it, with the reason", async () => {
    const other = newId("team");
    await record("account.signed_in", { actor: owner.userId, chain: other, object: newId("session") });
    await record("phone.launched", { actor: owner.userId });
    await record("token.created", { actor: owner.userId });
    await record("account.signed_in", { actor: member.userId });
    const reason = "Ticket 12";
    await record("admin.account_read", {
      chain: "server",
      actor: "operator",
      object: owner.userId,
      detail: { reason },
    });
    await record("admin.users_listed", { chain: "server", actor: "operator", detail: { reason } });
    const seen = await mine(owner);
    expect(sentences(seen)).toEqual([
      "The operator read an account",
      `${world.address(owner)} made an API token`,
      `${world.address(owner)} signed in`,
    ]);
    expect(seen.entries[0]).toMatchObject({ reason, actor: { isMe: false } });
    expect((await mine(owner, { group: "operator" })).entries).toHaveLength(1);
  });

  it("is read to its end page by page, without skipping or repeating, also while it grows", async () => {
    // Several in one moment and in several chains.
    const chains = [owner.teamId, newId("team"), newId("team")];
    for (let n = 0; n < 30; n += 1) {
      const chain = chains[n % 3] ?? owner.teamId;
      await test.db.tx((tx) =>
        world.pages.audit.record(tx, { chain, actor: owner.userId, action: "account.signed_in", object: `s${n}` }),
      );
      if (n % 7 === 0) world.pages.clock.advance(1_000);
    }
    const all = async (page: (input: ActivityInput) => Promise<Activity>) => {
      const seen: string[] = [];
      let next: string | undefined;
      do {
        const answer = await page({ limit: 7, ...(next !== undefined && { cursor: next }) });
        seen.push(...answer.entries.map(({ object }) => object?.id ?? ""));
        next = answer.next;
        await record("account.signed_in", { actor: owner.userId, object: "later" });
      } while (next !== undefined);
      return seen;
    };
    const every = Array.from({ length: 30 }, (_, n) => `s${n}`).sort();
    expect((await all((input) => mine(owner, input))).sort()).toEqual(every);
    const ofChain = every.filter((id) => Number(id.slice(1)) % 3 === 0);
    expect((await all((input) => team(owner, input))).filter((id) => id !== "later").sort()).toEqual(ofChain);
    await expect(team(owner, { cursor: "1.2" })).rejects.toMatchObject({ code: "bad_input" });
    await expect(mine(owner, { cursor: "12" })).rejects.toMatchObject({ code: "bad_input" });
  });

  it("ends where people were forgotten", async () => {
    await record("phone.launched");
    world.pages.clock.advance(91 * DAY_MS);
    await activitySweep(test.db, AUDIT_KEY, "local").batch(world.pages.clock.now(), 500);
    const fresh = await world.person("viewer", owner.teamId);
    await record("phone.parked");
    expect((await team(fresh)).entries.map(({ action }) => action)).toEqual(["phone.parked"]);
  });
});
