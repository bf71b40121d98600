import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { and, eq } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLES, type Role } from "../../../shared/access.ts";
import { newId, type TeamId, type UserId } from "../../../shared/ids.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import {
  createTeamDisposer,
  demandChoices,
  fatesOf,
  heirsOf,
  type Membership,
  needsChoice,
  type TeamChoice,
} from "./team-fates.ts";
import { actorOf, type ErasureWorld, erasureBench } from "./testing.ts";

const member = (role: Role, joinedAt: number, isGoing = false): Membership["others"][number] => ({
  ...{ userId: newId("user"), fullName: null, email: "b@x.example", role, isGoing },
  joinedAt: new Date(joinedAt),
});
const team = (role: Role, ...others: Membership["others"]): Membership => ({
  ...{ teamId: newId("team"), name: "Team", role, others },
});

describe("what becomes of a team whose member goes", () => {
  it("is: a team of one closes, one with another owner goes on, an only owner chooses", () => {
    expect(fatesOf([team("owner")], [])).toMatchObject([{ fate: "close" }]);
    expect(fatesOf([team("owner", member("owner", 1))], [])).toMatchObject([{ fate: "leave" }]);
    expect(fatesOf([team("viewer", member("owner", 1))], [])).toMatchObject([{ fate: "leave" }]);
    expect(fatesOf([team("owner", member("owner", 1, true))], [])).toMatchObject([{ fate: "close" }]);
    const shared = team("owner", member("viewer", 1), member("admin", 2), member("admin", 3));
    const [viewer, admin, other] = shared.others;
    expect(needsChoice(shared)).toBe(true);
    expect(heirsOf(shared)).toEqual([admin, other, viewer]);
    const transfer = (to: UserId): TeamChoice => ({ teamId: shared.teamId, choice: "transfer", to });
    expect(fatesOf([shared], [transfer(viewer?.userId ?? newId("user"))])).toMatchObject([{ to: viewer?.userId }]);
    expect(fatesOf([shared], [{ teamId: shared.teamId, choice: "close" }])).toMatchObject([{ fate: "close" }]);
    // Who should have it left meanwhile, or nothing was chosen: the longest admin, else the longest member.
    expect(fatesOf([shared], [transfer(newId("user"))])).toMatchObject([{ fate: "transfer", to: admin?.userId }]);
    expect(fatesOf([shared], [])).toMatchObject([{ to: admin?.userId }]);
    const plain = team("owner", member("viewer", 1), member("operator", 2));
    expect(fatesOf([plain], [])).toMatchObject([{ to: plain.others[0]?.userId }]);
  });

  it("ends what a team pays for when the team closes, and only then", async () => {
    const closed: TeamId[] = [];
    const nothing = async () => () => {};
    const disposer = createTeamDisposer({
      teams: { setRole: nothing } as never,
      ...{
        rightsLost: { apply: nothing },
        mail: { queue: async () => {} } as never,
        audit: { record: nothing } as never,
      },
      ...{ clock: new ManualClock(), publicUrl: new URL("http://localhost:8787") },
      closes: async (_tx, teamId) => void closed.push(teamId),
    });
    const [alone, shared] = [team("owner"), team("owner", member("owner", 1))];
    await disposer.dispose(undefined as never, newId("user"), [alone, shared], fatesOf([alone, shared], []));
    expect(closed).toEqual([alone.teamId]);
  });

  it("is asked for exactly where it is open, and never leaves a team without an owner", () => {
    const others = fc.array(fc.record({ role: fc.constantFrom(...ROLES), isGoing: fc.boolean() }), { maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...ROLES), others, fc.nat(4), fc.boolean(), (role, some, pick, closes) => {
        const given = team(role, ...some.map((one, index) => member(one.role, index, one.isGoing)));
        const chosen = given.others[pick];
        const choices: TeamChoice[] = closes
          ? [{ teamId: given.teamId, choice: "close" }]
          : chosen === undefined
            ? []
            : [{ teamId: given.teamId, choice: "transfer", to: chosen.userId }];
        const accepted = (() => {
          try {
            demandChoices([given], choices);
            return true;
          } catch {
            return false;
          }
        })();
        const [fate] = fatesOf([given], choices);
        const staying = given.others.filter(({ isGoing }) => !isGoing);
        if (staying.length === 0) expect(fate?.fate).toBe("close");
        if (fate?.fate === "leave") {
          expect(role !== "owner" || staying.some((one) => one.role === "owner")).toBe(true);
        }
        if (fate?.fate === "transfer") expect(staying.map(({ userId }) => userId)).toContain(fate.to);
        if (accepted && needsChoice(given)) expect(fate?.fate).toBe(closes ? "close" : "transfer");
        if (!needsChoice(given) && choices.length > 0) expect(accepted).toBe(false);
        if (needsChoice(given) && choices.length === 0) expect(accepted).toBe(false);
      }),
    );
  });
});

describe.each(TEST_ENGINES)("teams of who goes on $name", (engine) => {
  let test: TestDatabase;
  let folder: string;
  let world: ErasureWorld;
  beforeAll(async () => {
    test = await engine.open();
    folder = mkdtempSync(join(tmpdir(), "perch-fates-"));
    mkdirSync(join(folder, "data"));
    world = erasureBench(test.db, { folder, master: randomBytes(32) });
  });
  afterAll(async () => {
    await test.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const at = () => new Date(world.clock.now());
  async function person(name: string): Promise<UserId> {
    const id = newId("user");
    const emailShown = `${name}.${id}@x.example`;
    const email = emailShown.toLowerCase();
    await test.db.tx((tx) => addUser(test.db, tx, { id, email, emailShown, fullName: name, createdAt: at() }));
    return id;
  }
  async function teamOf(...members: readonly (readonly [UserId, Role])[]): Promise<TeamId> {
    const id = newId("team");
    const { teams, teamMembers, flows } = test.db.t;
    await test.db.tx(async (tx) => {
      await tx.insert(teams).values({ id, name: "Shop", createdAt: at() });
      for (const [userId, role] of members) {
        world.clock.advance(1);
        await tx.insert(teamMembers).values({ teamId: id, userId, role, joinedAt: at() });
        const made = { createdBy: userId, createdAt: at(), updatedAt: at() };
        await tx.insert(flows).values({ id: newId("flow"), teamId: id, name: "Flow", source: "x", ...made });
      }
    });
    return id;
  }
  const addressOf = async (id: UserId) => {
    const [row] = await test.db.read.select().from(test.db.t.users).where(eq(test.db.t.users.id, id));
    return row?.email ?? "";
  };
  const rolesIn = async (teamId: TeamId) => {
    const { teamMembers } = test.db.t;
    const rows = await test.db.read.select().from(teamMembers).where(eq(teamMembers.teamId, teamId));
    return Object.fromEntries(rows.map(({ userId, role }) => [userId, role]));
  };
  const flowsOf = async (teamId: TeamId) =>
    (await test.db.read.select().from(test.db.t.flows).where(eq(test.db.t.flows.teamId, teamId))).map(
      ({ createdBy }) => createdBy,
    );
  const mailsTo = async (userId: UserId) =>
    (await test.db.read.select().from(test.db.t.mailOutbox).where(eq(test.db.t.mailOutbox.userId, userId))).map(
      ({ kind }) => kind,
    );

  it("are handed over, left without a name, or closed with everything, as chosen", async () => {
    const [anna, ben, carla, dora] = [
      await person("Anna"),
      await person("Ben"),
      await person("Carla"),
      await person("Dora"),
    ];
    const own = await teamOf([anna, "owner"]);
    const given = await teamOf([anna, "owner"], [ben, "viewer"], [carla, "admin"]);
    const closed = await teamOf([anna, "owner"], [dora, "admin"]);
    const left = await teamOf([ben, "owner"], [anna, "operator"]);
    const actor = actorOf({ userId: anna, teamId: own }, newId("session"), world.clock);
    const preview = await world.erasures.preview(actor);
    expect(preview.teams).toEqual([
      {
        teamId: given,
        name: "Shop",
        heirs: [
          { userId: carla, name: "Carla" },
          { userId: ben, name: "Ben" },
        ],
      },
      { teamId: closed, name: "Shop", heirs: [{ userId: dora, name: "Dora" }] },
    ]);
    const input = { idempotencyKey: "key-12345678", confirmation: await addressOf(anna), now: true };
    await expect(world.erasures.ask(actor, { ...input, teams: [] })).rejects.toMatchObject({
      ...{ code: "conflict", message: expect.stringContaining("only owner of Shop") },
    });
    const teams: TeamChoice[] = [
      { teamId: given, choice: "transfer", to: ben },
      { teamId: closed, choice: "close" },
    ];
    const wrong: TeamChoice[] = [...teams, { teamId: left, choice: "close" }];
    await expect(world.erasures.ask(actor, { ...input, teams: wrong })).rejects.toMatchObject({ code: "bad_input" });
    expect(await world.erasures.current(anna)).toBeUndefined();
    const { id } = await world.erasures.ask(actor, { ...input, teams });
    const stays = await world.erasures.preview(actor);
    await world.purge(id);

    expect(await rolesIn(given)).toEqual({ [ben]: "owner", [carla]: "admin" });
    expect((await flowsOf(given)).filter((maker) => maker === null)).toHaveLength(1);
    expect(await rolesIn(left)).toEqual({ [ben]: "owner" });
    expect(await flowsOf(left)).toHaveLength(2);
    for (const gone of [own, closed]) {
      expect(await rolesIn(gone)).toEqual({});
      expect(await flowsOf(gone)).toEqual([]);
    }
    expect(await mailsTo(ben)).toContain("ownership_transferred");
    expect(await mailsTo(dora)).toContain("removed_from_team");
    expect((await world.accounts.memberships.listOf(dora)).map(({ role }) => role)).toEqual(["owner"]);
    const [row] = await test.db.read.select().from(test.db.t.erasures).where(eq(test.db.t.erasures.id, id));
    expect(row?.certificate?.statement).toMatchObject({ staysWithTeams: stays.staysWithTeams });
    expect(stays.staysWithTeams).toContainEqual({ label: "Automations", items: 2 });
    for (const chain of await world.audit.chains()) expect(await world.audit.verify(chain)).not.toHaveProperty("how");
  });

  it("go to the longest admin when who should have them left meanwhile", async () => {
    const [anna, ben, carla] = [await person("Anna"), await person("Ben"), await person("Carla")];
    const shop = await teamOf([anna, "owner"], [ben, "viewer"], [carla, "admin"]);
    const actor = actorOf({ userId: anna, teamId: shop }, newId("session"), world.clock);
    const { id } = await world.erasures.ask(actor, {
      ...{ idempotencyKey: "key-12345678", confirmation: await addressOf(anna), now: false },
      teams: [{ teamId: shop, choice: "transfer", to: ben }],
    });
    const { teamMembers } = test.db.t;
    await test.db.tx((tx) =>
      tx.delete(teamMembers).where(and(eq(teamMembers.teamId, shop), eq(teamMembers.userId, ben))),
    );
    world.clock.advance(7 * 24 * 3_600_000);
    await world.purge(id);
    expect(await rolesIn(shop)).toEqual({ [carla]: "owner" });
  });
});
