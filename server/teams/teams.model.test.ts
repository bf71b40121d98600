/**
 * Memberships and invitations as a state machine: people act at once, on real databases. The team's audit chain says in
 * which order it came to be; replayed against a plain model, every step must have been allowed and lead to what is stored.
 */

import { asc, eq } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLES, type Role, roleMay, roleReaches } from "../../shared/access.ts";
import { INVITED_ROLES } from "../../shared/teams.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import type { TestPerson } from "../testing.ts";
import { createTestTeams } from "./testing.ts";

const TIMES = Number(process.env["PROVE_TIMES"] ?? 1);
const PEOPLE = 5;
const DAY_MS = 24 * 60 * 60_000;

const person = fc.nat({ max: PEOPLE - 1 });
const act = fc.oneof(
  fc.record({ kind: fc.constant("changeRole"), by: person, on: person, role: fc.constantFrom(...ROLES) }),
  fc.record({ kind: fc.constant("remove"), by: person, on: person }),
  fc.record({ kind: fc.constant("leave"), by: person }),
  fc.record({ kind: fc.constant("transfer"), by: person, on: person }),
  fc.record({ kind: fc.constant("invite"), by: person, on: person, role: fc.constantFrom(...INVITED_ROLES) }),
  fc.record({
    kind: fc.constantFrom("resend", "withdraw", "accept", "decline"),
    by: person,
    which: fc.nat({ max: 5 }),
  }),
  fc.record({ kind: fc.constant("acceptMine"), by: person }),
  fc.record({ kind: fc.constant("acceptMine"), by: person }),
);
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;
/** What happens at once, and how many days pass before. */
const round = fc.record({ days: fc.constantFrom(0, 0, 0, 1), acts: fc.array(act, { minLength: 1, maxLength: 4 }) });

describe.each(TEST_ENGINES)("memberships and invitations on $name", (engine) => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await engine.open();
  });
  afterAll(() => test.dispose());

  it("ABUSE-27 stay what the rules allow, whoever does what at once", async () => {
    let [done, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 6, maxLength: 14 }), async (rounds) => {
        const team = await makeTeam(test);
        for (const { days, acts } of rounds) {
          // A mail limit's worth of time passes too.
          team.world.pages.clock.advance(days * DAY_MS + 15 * 60_000);
          const prepared = await Promise.all(acts.map((one) => team.prepare(one)));
          const results = await Promise.allSettled(prepared.map((run) => run()));
          for (const result of results) {
            if (result.status === "fulfilled") done += 1;
            else if (result.reason instanceof PerchError) refused += 1;
            else throw result.reason;
          }
          await team.check();
        }
        await team.replay();
      }),
      { numRuns: 6 * TIMES },
    );
    console.log(`${engine.name}: ${done} acts done, ${refused} refused`);
    expect(done).toBeGreaterThan(10);
  });
});

async function makeTeam(test: TestDatabase) {
  const world = createTestTeams(test.db);
  const { teamId } = await world.person("viewer");
  const founder = await world.member("owner", teamId);
  const people = [founder];
  for (let n = 1; n < PEOPLE; n += 1) people.push(n < 3 ? await world.member("owner", teamId) : await world.person());
  const start = await world.roles(teamId);
  const who = (index: number): TestPerson => people[index] ?? founder;
  return { world, prepare, check, replay };

  /** What the act needs is looked up before anything of its round happens, so that it acts on what was true then. */
  async function prepare(one: Act): Promise<() => Promise<unknown>> {
    const { teams, invitations } = world.pages;
    const members = await world.roles(teamId);
    const byGuest = one.kind === "accept" || one.kind === "decline" || one.kind === "acceptMine";
    // Mostly those who may: what is refused at the door shows little.
    const able = people.filter(({ userId }) => {
      const own = members.get(userId);
      return byGuest ? own === undefined : own !== undefined && (one.kind === "leave" || roleMay(own, "team:manage"));
    });
    const by = able[one.by % Math.max(able.length, 1)] ?? who(one.by);
    const meant = people.filter((other) => other !== by && members.has(other.userId) === (one.kind !== "invite"));
    const on = "on" in one ? (meant[one.on % Math.max(meant.length, 1)] ?? who(one.on)) : by;
    const here = { ...(await world.actor(by)), teamId, authenticatedAt: new Date(world.pages.clock.now()) };
    const role = members.get(by.userId);
    const actor = { ...here, role: role ?? here.role };
    // A caller who is no member, or lacks the permission, never gets past the router.
    const scope = { teamId, userId: by.userId } as Parameters<typeof teams.leave>[1];
    const manages = role !== undefined && roleMay(role, "team:manage");
    const open = await listOpen();
    const unanswered = open.filter(({ acceptedAt, closedAt }) => acceptedAt === null && closedAt === null);
    const theirs = byGuest ? unanswered.filter(({ email }) => email === world.address(by)) : unanswered;
    const any = "which" in one && one.which === 0 ? open : theirs;
    const invitation = "which" in one ? any[one.which % Math.max(any.length, 1)] : undefined;
    switch (one.kind) {
      case "changeRole":
        return manages ? () => teams.changeRole(actor, scope, on.userId, one.role) : nothing;
      case "remove":
        return manages ? () => teams.removeMember(actor, scope, on.userId) : nothing;
      case "leave":
        return role === undefined ? nothing : () => teams.leave(actor, scope);
      case "transfer":
        return manages ? () => teams.transferOwnership(actor, scope, on.userId) : nothing;
      case "invite": {
        const email = world.address(on);
        return manages ? () => invitations.invite(scope, { email, role: one.role, days: 1 }) : nothing;
      }
      case "acceptMine": {
        const mine = unanswered.find(({ email }) => email === world.address(by));
        return mine === undefined ? nothing : () => invitations.accept(actor, mine.id);
      }
      case "accept":
        return invitation === undefined ? nothing : () => invitations.accept(actor, invitation.id);
      case "decline":
        return invitation === undefined ? nothing : () => invitations.decline(actor, invitation.id);
      case "resend":
        return invitation === undefined || !manages ? nothing : () => invitations.resend(scope, invitation.id);
      case "withdraw":
        return invitation === undefined || !manages ? nothing : () => invitations.withdraw(scope, invitation.id);
      default:
        throw new Error("An act without a meaning.");
    }
  }

  async function listOpen() {
    const { teamInvitations } = test.db.t;
    return test.db.read
      .select()
      .from(teamInvitations)
      .where(eq(teamInvitations.teamId, teamId))
      .orderBy(asc(teamInvitations.createdAt), asc(teamInvitations.id));
  }

  async function check(): Promise<void> {
    const roles = await world.roles(teamId);
    expect([...roles.values()]).toContain("owner");
    for (const { userId } of people) expect((await world.pages.memberships.listOf(userId)).length).toBeGreaterThan(0);
  }

  async function replay(): Promise<void> {
    const { auditLog, teamInvitations } = test.db.t;
    const log = await test.db.read.select().from(auditLog).where(eq(auditLog.chain, teamId)).orderBy(asc(auditLog.seq));
    const addressed = await test.db.read.select().from(teamInvitations).where(eq(teamInvitations.teamId, teamId));
    const model = createModel(start, (id) => addressed.find((one) => one.id === id)?.email);
    for (const { action, actor, object, detail, at } of log) {
      model.step({
        action,
        actor: actor ?? "",
        object: object ?? "",
        detail: (detail ?? {}) as Record<string, Role>,
        at: at?.getTime() ?? 0,
        addressOf: (userId) => `${userId.toLowerCase()}@x.example`,
      });
    }
    expect(new Map([...(await world.roles(teamId))].sort())).toEqual(new Map([...model.roles].sort()));
    expect(await world.pages.audit.verify(teamId)).not.toHaveProperty("brokenAt");
  }
}

const nothing = async () => {
  throw new PerchError("forbidden", "Not past the router.");
};

interface Step {
  readonly action: string;
  readonly actor: string;
  readonly object: string;
  readonly detail: Readonly<Record<string, Role>>;
  readonly at: number;
  readonly addressOf: (userId: string) => string;
}

/** The rules, one step after the other. Throws at a step they do not allow. */
function createModel(start: ReadonlyMap<string, Role>, addressOf: (invitation: string) => string | undefined) {
  const roles = new Map(start);
  const open = new Map<string, { by: string; role: Role; until: number }>();
  const reaches = (who: string, role: Role | undefined) => {
    const own = roles.get(who);
    expect(own !== undefined && role !== undefined && roleMay(own, "team:manage") && roleReaches(own, role)).toBe(true);
  };
  const step = ({ action, actor, object, detail, at, addressOf: addressOfPerson }: Step) => {
    switch (action) {
      case "team.role_changed":
        expect(roles.get(object)).toBe(detail["from"]);
        reaches(actor, detail["from"]);
        reaches(actor, detail["to"]);
        roles.set(object, detail["to"] ?? "viewer");
        break;
      case "team.member_removed":
        reaches(actor, roles.get(object));
        roles.delete(object);
        break;
      case "team.left":
        expect(roles.has(actor)).toBe(true);
        roles.delete(actor);
        break;
      case "team.ownership_transferred":
        expect([roles.get(actor), roles.has(object)]).toEqual(["owner", true]);
        roles.set(object, "owner");
        roles.set(actor, "admin");
        break;
      case "team.invited":
        reaches(actor, detail["role"]);
        open.set(object, { by: actor, role: detail["role"] ?? "viewer", until: at + DAY_MS });
        break;
      case "team.invitation_resent": {
        const invitation = open.get(object);
        reaches(actor, invitation?.role);
        if (invitation !== undefined) open.set(object, { ...invitation, by: actor, until: at + DAY_MS });
        break;
      }
      case "team.invitation_withdrawn":
      case "team.invitation_declined":
        expect(open.delete(object)).toBe(true);
        break;
      case "team.joined": {
        const invitation = open.get(object);
        expect(invitation !== undefined && at < invitation.until).toBe(true);
        reaches(invitation?.by ?? "", invitation?.role);
        expect(addressOfPerson(actor)).toBe(addressOf(object));
        open.delete(object);
        if (!roles.has(actor)) roles.set(actor, detail["role"] ?? "viewer");
        break;
      }
      default:
        return;
    }
    expect([...roles.values()]).toContain("owner");
  };
  return { roles, step };
}
