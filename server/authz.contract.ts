/**
 * The authorisation matrix: every procedure of the router, called over HTTP as every kind of stranger and as everybody
 * who may. The procedures come from the router; what they are called with comes from `authz.test.ts`.
 */
import { and, eq, sql } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PERMISSIONS, ROLES, type Role, roleMay, SCOPES } from "../shared/access.ts";
import type { SignInMethod } from "../shared/accounts.ts";
import type { DescribedProcedure } from "./authz.ts";
import { REFERENCE } from "./http/reference.ts";
import { STEP_UP_MS } from "./teams/team-scope.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "./testing.ts";

export interface AuthorisationMatrix<World extends { readonly owner: TestPerson }> {
  readonly procedures: readonly DescribedProcedure[];
  /** Inputs that are valid for the owner of a world. */
  readonly inputs: Readonly<Record<string, (world: World) => unknown>>;
  /** What there is to touch; with `path`, what that call may be about. */
  makeWorld(server: TestServer, path?: string): Promise<World>;
  /** The same world with ids that nobody has. */
  nowhere(world: World): World;
  /** The world as `person` needs it for a call that only their own things answer to. */
  ownedBy(server: TestServer, path: string, world: World, person: TestPerson, role: Role): Promise<World>;
  /** What calls say to those who may make them, where they need more than that. */
  readonly refusals: Readonly<Record<string, string>>;
  /** Permissions a procedure asks for beyond its meta, from its input. */
  readonly beyondMeta: Readonly<Record<string, keyof typeof PERMISSIONS>>;
  /** Team procedures that name none of the team's things. */
  readonly byTeam: ReadonlySet<string>;
  /** Team procedures about what only the person who made it sees. */
  readonly personal: ReadonlySet<string>;
  /** Procedures of a person that name one thing of theirs. */
  readonly ofPerson: ReadonlySet<string>;
  /** Calls an API token may never make. */
  readonly sessionsOnly: ReadonlySet<string>;
  readonly lists: readonly string[];
  readonly files: readonly (readonly [what: string, path: (world: World) => string, holds: string])[];
}

/** Roles that may make a call. */
function rolesFor<W extends { readonly owner: TestPerson }>(
  { beyondMeta }: Pick<AuthorisationMatrix<W>, "beyondMeta">,
  { path, meta }: DescribedProcedure,
): Role[] {
  const needed = [meta?.permission, beyondMeta[path]].filter((permission) => permission !== undefined);
  return ROLES.filter((role) => needed.every((permission) => roleMay(role, permission)));
}

/** Nobody gets or changes anything of a team or person that is not theirs, or without what the call asks for. */
export function strangersGetNothing<W extends { readonly owner: TestPerson }>(matrix: AuthorisationMatrix<W>): void {
  const { procedures, inputs } = matrix;
  let server: TestServer;
  let world: W;
  const members = new Map<Role, TestPerson>();
  let exMember: TestPerson;
  let revoked: TestPerson;
  let expired: TestPerson;
  /** An owner who proved who they are eleven minutes ago. */
  let unproven: string;
  const tokens = new Map<string, string>();

  const sessionOf = async (person: TestPerson, method: SignInMethod, ago: number) => {
    const { sessions } = server.accounts;
    const about = { requestId: "", ip: "127.0.0.1", userAgent: "test" };
    const authenticatedAt = new Date(server.clock.now() - ago);
    const { token } = await server.db.tx((tx) =>
      sessions.create(tx, { userId: person.userId, kind: "extension", authenticatedAt, method, about }),
    );
    return token;
  };
  beforeAll(async () => {
    server = await startTestServer({
      ...{ RUNNING_PER_TEAM: "1000", PHONES_PER_TEAM: "10000", RUNNING_PHONES: "10000" },
      // The clock of these tests goes on for hours; a phone that is parked by it changes what is compared.
      IDLE_MINUTES: "1000",
      LONGEST_SESSION_MINUTES: "1000",
    });
    world = await matrix.makeWorld(server);
    const { teamId } = world.owner;
    for (const role of ROLES) members.set(role, await signIn(server, role, teamId));
    exMember = await signIn(server, "admin", teamId);
    const { teamMembers, sessions } = server.db.t;
    await server.db.tx((tx) =>
      tx.delete(teamMembers).where(and(eq(teamMembers.teamId, teamId), eq(teamMembers.userId, exMember.userId))),
    );
    revoked = await signIn(server, "owner", teamId);
    await server.db.tx((tx) => server.accounts.sessions.endIn(tx, revoked.userId, "all"));
    expired = await signIn(server, "owner", teamId);
    await server.db.tx((tx) =>
      tx
        .update(sessions)
        .set({ idleExpiresAt: new Date(server.clock.now()) })
        .where(eq(sessions.id, expired.sessionId)),
    );
    unproven = await sessionOf(world.owner, "password", STEP_UP_MS + 60_000);
    for (const scope of SCOPES) {
      const others = SCOPES.filter((other) => other !== scope);
      tokens.set(scope, await apiToken(server, world.owner, others));
    }
  });
  afterAll(() => server.dispose());
  // Time for those who ask all the time.
  beforeEach(() => server.clock.advance(10_000));

  const ask = ({ path, type }: DescribedProcedure, token: string | undefined, about = world) =>
    call(server, type, path, inputs[path]?.(about), token);
  /** Rows of the world that a call could change. */
  const rows = async () => {
    const { t, read } = server.db;
    const { teamId, userId } = world.owner;
    const sessions = await read.select().from(t.sessions).where(eq(t.sessions.userId, userId));
    return JSON.stringify([
      ...[await read.select().from(t.phones), await read.select().from(t.flows), await read.select().from(t.rules)],
      ...[await read.select().from(t.webhooks), await read.select().from(t.workspaceFiles)],
      ...[await read.select().from(t.recordings), await read.select().from(t.recordingSteps)],
      ...[(await read.select().from(t.ruleStarts)).length, (await read.select().from(t.streamTickets)).length],
      (await read.select().from(t.idempotencyKeys)).length,
      (await read.select().from(t.runs)).map(({ id, state, cancelAskedAt, name }) => [id, state, cancelAskedAt, name]),
      sessions.map(({ id, endedAt, teamId: works }) => [id, endedAt, works]),
      await read.select().from(t.auditLog).where(eq(t.auditLog.chain, teamId)),
      await read.select().from(t.teams).where(eq(t.teams.id, teamId)),
      await read.select().from(t.teamMembers).where(eq(t.teamMembers.teamId, teamId)),
      await read.select().from(t.teamInvitations),
      await read.select().from(t.users).where(eq(t.users.id, userId)),
      ...[await read.select().from(t.passkeys), await read.select().from(t.totpFactors)],
      ...[await read.select().from(t.backupCodes), await read.select().from(t.passwordCredentials)],
      await read.select().from(t.decisions),
      ...[await read.select().from(t.budgets), await read.select().from(t.billingAccounts)],
      ...[await read.select().from(t.dedicatedPhones), await read.select().from(t.checkouts)],
      ...[await read.select().from(t.dataRequests), await read.select().from(t.statements)],
      await read.select().from(t.privacyPreferences),
      await read.select().from(t.dataExports),
      (await read.select().from(t.apiTokens)).map(({ id, revokedAt }) => [id, revokedAt]),
    ]);
  };
  let seen: { readonly version: number; readonly rows: string } | undefined;
  /** Everything of the world that a call could change. Rows are read again when anything was committed since. */
  const state = async () => {
    // For a connection that only reads it changes with every commit: https://sqlite.org/pragma.html#pragma_data_version
    const version = sql<number>`data_version`;
    const [now] = await server.db.read.select({ version }).from(sql`pragma_data_version`);
    if (now === undefined) throw new Error("SQLite tells no version of its data.");
    if (seen?.version !== now.version) seen = { version: now.version, rows: await rows() };
    const phones = [...server.phones.stored].map(([id, { url, spec, apps, files }]) => {
      return [id, url, spec, apps, [...files.keys()]];
    });
    return JSON.stringify([seen.rows, phones, [...server.phones.running]]);
  };
  const refused = async (procedure: DescribedProcedure, token: string | undefined, ...codes: string[]) => {
    const before = await state();
    const answer = await ask(procedure, token);
    expect(answer.ok ? "allowed" : answer.error.code).toBeOneOf(codes);
    expect(await state()).toBe(before);
    if (!answer.ok) expect(answer.error.requestId).toMatch(REFERENCE);
  };
  const named = (some: readonly DescribedProcedure[]) => some.map((one) => [one.path, one] as const);
  const guarded = named(procedures.filter(({ meta }) => meta?.auth !== "public"));
  const ofTeam = guarded.filter(([, { meta }]) => meta?.auth === "team");
  const onThings = guarded.filter(
    ([path, { meta }]) => matrix.ofPerson.has(path) || (meta?.auth === "team" && !matrix.byTeam.has(path)),
  );

  it.each(guarded)("%s refuses who is not signed in", async (_path, one) => {
    await refused(one, undefined, "unauthenticated");
    await refused(one, `cp_${"A".repeat(43)}`, "unauthenticated");
    await refused(one, "nonsense", "unauthenticated");
  });
  it.each(guarded)("%s refuses a session that has ended", async (_path, one) => {
    await refused(one, revoked.token, "session_ended");
    await refused(one, expired.token, "session_ended");
  });
  it.each(guarded)("%s refuses who is no member any more", async (_path, one) => {
    await refused(one, exMember.token, "unauthenticated", "session_ended");
  });
  it.each(guarded)("%s refuses a token without its scope", async (_path, one) => {
    await refused(one, tokens.get(one.meta?.scope ?? ""), "forbidden");
  });
  it.each(guarded.filter(([, { meta }]) => meta?.stepUp === true))("%s asks for a fresh proof", async (_path, one) => {
    await refused(one, unproven, "step_up_required");
  });
  it.each(ofTeam)("%s refuses roles without its permission", async (_path, one) => {
    const allowed = rolesFor(matrix, one);
    for (const role of ROLES) if (!allowed.includes(role)) await refused(one, members.get(role)?.token, "forbidden");
  });
  it.each(onThings)("ABUSE-23 %s knows nothing of another team's things", async (_path, one) => {
    // Someone new each time, so that nobody asks too often.
    const stranger = await signIn(server);
    await refused(one, stranger.token, "not_found");
    const none = await ask(one, stranger.token, matrix.nowhere(world));
    const theirs = await ask(one, stranger.token);
    const words = (answer: typeof none) =>
      answer.ok ? answer : { ...answer, error: { ...answer.error, requestId: "" } };
    expect(JSON.stringify(words(theirs))).toBe(JSON.stringify(words(none)));
  });
  it.each(guarded.filter(([path]) => matrix.ofPerson.has(path)))(
    "%s knows nothing of a team mate's things",
    async (_path, one) => {
      for (const member of members.values()) await refused(one, await sessionOf(member, "password", 0), "not_found");
    },
  );
  it("see nothing of others in lists", async () => {
    const otherOwner = await signIn(server);
    for (const path of matrix.lists) {
      const answer = await call(server, "query", path, inputs[path]?.(world), otherOwner.token);
      expect([path, answer.ok]).toEqual([path, true]);
      const { owner, ...things } = world;
      const ids = [...Object.values(things), owner.teamId, owner.sessionId, owner.userId];
      const foreign = ids.filter((id) => typeof id === "string" && /_[\w-]{22}$/.test(id));
      for (const id of [...foreign, "shop"]) expect(JSON.stringify(answer)).not.toContain(id);
    }
  });
  it.each(matrix.files)("get no %s over HTTP", async (_what, path, holds) => {
    const address = `${server.url}${path(world)}`;
    const read = (token?: string) =>
      fetch(address, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });
    const otherOwner = await signIn(server);
    const before = await state();
    for (const { token } of [{ token: undefined }, revoked, expired, exMember]) {
      expect((await read(token)).status).toBe(401);
    }
    expect((await read(otherOwner.token)).status).toBe(404);
    expect((await read(members.get("billing")?.token)).status).toBe(403);
    expect((await read(tokens.get("phones:view"))).status).toBe(403);
    expect(await state()).toBe(before);
    const allowed = await read(members.get("viewer")?.token);
    expect(allowed.headers.get("content-disposition")).toMatch(/^attachment/);
    expect(await allowed.text()).toContain(holds);
  });

  describe("in a team that asks for a second factor", () => {
    const ask_ = (required: boolean) =>
      server.db.tx((tx) =>
        tx
          .update(server.db.t.teams)
          .set({ requireSecondFactor: required })
          .where(eq(server.db.t.teams.id, world.owner.teamId)),
      );
    beforeAll(() => ask_(true));
    afterAll(() => ask_(false));
    it.each(ofTeam)("%s refuses a password alone", async (_path, one) => {
      await refused(one, world.owner.token, "second_factor_required");
    });
    it.each(matrix.files)("no %s is read over HTTP with a password alone", async (_what, path) => {
      const headers = { authorization: `Bearer ${world.owner.token}` };
      expect((await fetch(`${server.url}${path(world)}`, { headers })).status).toBe(403);
    });
    it("answers a session opened with one, and lets the others look after their account", async () => {
      const proven = await sessionOf(world.owner, "password_totp", 0);
      expect(await call(server, "query", "phones.list", undefined, proven)).toMatchObject({ ok: true });
      expect(await call(server, "query", "account.me", undefined, world.owner.token)).toMatchObject({ ok: true });
    });
  });

  describe("whose data is only kept", () => {
    const set = (restrictedAt: Date | null) => {
      const { privacyPreferences } = server.db.t;
      const { userId } = world.owner;
      return server.db.tx((tx) =>
        tx
          .insert(privacyPreferences)
          .values({ userId, restrictedAt, changedAt: new Date(server.clock.now()) })
          .onConflictDoUpdate({ target: privacyPreferences.userId, set: { restrictedAt } }),
      );
    };
    beforeAll(() => set(new Date(server.clock.now())));
    afterAll(() => set(null));
    it.each(ofTeam)("%s does nothing", async (_path, one) => {
      await refused(one, world.owner.token, "processing_restricted");
    });
    it.each(matrix.files)("no %s is read over HTTP", async (_what, path) => {
      const headers = { authorization: `Bearer ${world.owner.token}` };
      expect((await fetch(`${server.url}${path(world)}`, { headers })).status).toBe(403);
    });
  });
}

/** Every role that may is answered, in a world of its own where the call changes something; so is an API token. */
export function thoseWhoMayAreAnswered<W extends { readonly owner: TestPerson }>(matrix: AuthorisationMatrix<W>): void {
  const { procedures, inputs, refusals, personal, sessionsOnly } = matrix;
  let server: TestServer;
  /** For calls that only read. */
  let still: W;
  beforeAll(async () => {
    server = await startTestServer({ RUNNING_PER_TEAM: "1000", RUNNING_PHONES: "10000" });
    still = await matrix.makeWorld(server);
  });
  // All of them call from one network, which has a limit too.
  beforeEach(() => server.clock.advance(3_000));
  afterAll(() => server.dispose());

  const worldFor = ({ path, type }: Pick<DescribedProcedure, "path" | "type">) =>
    type === "mutation" ? matrix.makeWorld(server, path) : still;

  it.each(procedures.map((one) => [one.path, one] as const))("%s answers them", async (path, one) => {
    const { type, meta } = one;
    const roles = rolesFor(matrix, one);
    expect(roles).toContain("owner");
    for (const role of roles) {
      const world = await worldFor(one);
      const person = role === "owner" ? world.owner : await signIn(server, role, world.owner.teamId);
      const own = await matrix.ownedBy(server, path, world, person, role);
      const answer = await call(server, type, path, inputs[path]?.(own), person.token);
      const expected = refusals[path] ?? (role !== "owner" && personal.has(path) ? "There is no such" : undefined);
      if (expected === undefined) expect(answer).toMatchObject({ ok: true });
      else expect(answer).toMatchObject({ ok: false, error: { message: expect.stringContaining(expected) } });
    }
    if (meta?.auth === "public") return;
    const world = await worldFor(one);
    const token = await apiToken(server, world.owner, SCOPES);
    const own = await matrix.ownedBy(server, path, world, world.owner, "owner");
    const answer = await call(server, type, path, inputs[path]?.(own), token);
    if (sessionsOnly.has(path) || meta?.stepUp === true) {
      expect(answer).toMatchObject({ error: { code: "forbidden" } });
    } else if (refusals[path] !== undefined) {
      expect(answer).toMatchObject({ ok: false, error: { message: expect.stringContaining(refusals[path]) } });
    } else expect(answer).toMatchObject({ ok: true });
  });
}
