/**
 * The life of sessions, API tokens and connect codes as a state machine: whatever happens in whatever order, no token
 * outlives its cause. A model says after every step which tokens are alive, and every token ever issued is tried.
 */
import { createHash, randomBytes } from "node:crypto";
import { and, eq } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Role } from "../../shared/access.ts";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { type CredentialId, isSessionId, newId, type SessionId, type TeamId, type UserId } from "../../shared/ids.ts";
import type { Database } from "../db/database.ts";
import { type TestDatabase, testSqlite } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import { type Actor, teamScope } from "../teams/team-scope.ts";
import { CONNECT_CODE_MS } from "./connect.service.ts";
import { SESSION_IDLE_MS, SESSION_LONGEST_MS } from "./sessions.service.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const TOUCH_MS = 5 * MINUTE_MS;
const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`;

interface Person {
  readonly userId: UserId;
  readonly email: string;
  readonly home: TeamId;
  isDeleted: boolean;
}
interface Credential {
  readonly kind: "web" | "extension" | "api";
  readonly id: CredentialId;
  readonly person: Person;
  /** Where an API token belongs. */
  readonly teamId?: TeamId;
  token: string;
  readonly dead: string[];
  isEnded: boolean;
  seenAt: number;
  idleAt: number;
  readonly longestAt: number;
}
interface Code {
  readonly text: string;
  readonly verifier: string;
  readonly person: Person;
  readonly diesAt: number;
  state: "open" | "gone" | "used";
  produced?: Credential;
}
interface Model {
  readonly people: Person[];
  readonly shared: TeamId;
  readonly roles: Map<UserId, Role>;
  readonly credentials: Credential[];
  readonly codes: Code[];
  readonly told: Set<CredentialId>;
}
type Real = { readonly server: TestPages; readonly db: Database; readonly heard: CredentialId[] };
type Step = fc.AsyncCommand<Model, Real>;

const PASSWORD = "blaue gurken tanzen";
const about = requestInfo();

/** A step that acts on the n-th of what it may act on, and does nothing when there is nothing. */
function step<T>(
  name: string,
  choose: (model: Model, now: number) => readonly T[],
  run: (model: Model, real: Real, chosen: T) => Promise<void>,
): fc.Arbitrary<Step> {
  return fc.nat({ max: 30 }).map((n) => ({
    check: () => true,
    async run(model, real) {
      const some = choose(model, real.server.clock.now());
      const chosen = some[n % some.length];
      if (chosen !== undefined) await run(model, real, chosen);
      await holds(model, real);
    },
    toString: () => `${name} ${n}`,
  }));
}

const isInTime = ({ idleAt, longestAt }: Credential, now: number) => now < idleAt && now < longestAt;
/** Whether the person is still where the token works. */
const hasPlace = (model: Model, one: Credential) => one.teamId !== model.shared || model.roles.has(one.person.userId);
const works = (model: Model, one: Credential, now: number) =>
  !one.isEnded && !one.person.isDeleted && isInTime(one, now) && hasPlace(model, one);
const sessionsOf = (model: Model, now: number, kind?: Credential["kind"]) =>
  model.credentials.filter(
    (one) => one.kind !== "api" && (kind === undefined || one.kind === kind) && works(model, one, now),
  );
const living = ({ people }: Model) => people.filter(({ isDeleted }) => !isDeleted);

/** Every token ever issued answers as the model says; what ended by an act was told of, and nothing else. */
async function holds(model: Model, { server, heard }: Real): Promise<void> {
  const now = server.clock.now();
  for (const one of model.credentials) {
    const found = await server.sessions.find(one.token, about);
    const actor = found === "ended" ? undefined : found;
    expect(actor !== undefined, `the ${one.kind} token of ${one.person.email} works`).toBe(works(model, one, now));
    for (const old of one.dead) expect(await server.sessions.find(old, about)).toBeUndefined();
    if (actor === undefined) continue;
    expect(actor).toMatchObject({ userId: one.person.userId, credential: { id: one.id } });
    expect(actor.role).toBe(actor.teamId === model.shared ? model.roles.get(one.person.userId) : "owner");
    if (one.kind === "api" || now - one.seenAt < TOUCH_MS) continue;
    one.seenAt = now;
    one.idleAt = Math.min(now + SESSION_IDLE_MS, one.longestAt);
  }
  const ours = new Set<CredentialId>(model.credentials.map(({ id }) => id));
  expect(heard.filter((id) => ours.has(id)).sort()).toEqual([...model.told].sort());
}

async function actorOf({ server }: Real, { token }: Credential): Promise<Actor> {
  const found = await server.sessions.find(token, about);
  if (found === undefined || found === "ended") throw new Error("The model says that this token works.");
  return found;
}

/** Ends sessions in the model; with them go the person's codes that were not used yet. */
function end(model: Model, person: Person, which: (one: Credential) => boolean, now: number): void {
  for (const one of model.credentials) {
    if (one.kind === "api" || one.person !== person || one.isEnded || !which(one)) continue;
    one.isEnded = true;
    if (isInTime(one, now)) model.told.add(one.id);
  }
  for (const code of model.codes) if (code.person === person && code.state === "open") code.state = "gone";
}

function begun(
  person: Person,
  kind: "web" | "extension",
  { id, token }: { readonly id: CredentialId; readonly token: string },
  now: number,
): Credential {
  const times = { seenAt: now, idleAt: now + SESSION_IDLE_MS, longestAt: now + SESSION_LONGEST_MS };
  return { kind, id, person, token, dead: [], isEnded: false, ...times };
}

const STEPS: fc.Arbitrary<Step>[] = [
  step("sign in", living, async (model, { server, db }, person) => {
    const now = server.clock.now();
    const proof = { authenticatedAt: new Date(now), method: "password" } as const;
    const made = await db.tx((tx) =>
      server.sessions.create(tx, { userId: person.userId, kind: "web", ...proof, about }),
    );
    model.credentials.push(begun(person, "web", made, now));
  }),
  step(
    "approve a connection",
    (model, now) => sessionsOf(model, now, "web"),
    async (model, real, session) => {
      const { server } = real;
      const verifier = randomBytes(32).toString("base64url");
      const request = server.connect.parse({
        ...{ response_type: "code", client_id: "perch-extension", redirect_uri: REDIRECT, state: "s".repeat(16) },
        code_challenge: createHash("sha256").update(verifier).digest("base64url"),
        code_challenge_method: "S256",
      });
      const url = new URL(await server.connect.approve(request, await actorOf(real, session)));
      const text = url.searchParams.get("code") ?? "";
      const diesAt = server.clock.now() + CONNECT_CODE_MS;
      model.codes.push({ text, verifier, person: session.person, diesAt, state: "open" });
    },
  ),
  step(
    "exchange a code",
    ({ codes }) => codes,
    async (model, { server }, code) => {
      const now = server.clock.now();
      const isGood = code.state === "open" && now < code.diesAt && !code.person.isDeleted;
      const input = { code: code.text, verifier: code.verifier, redirectUri: REDIRECT };
      const answer = await server.connect.exchange(input, about).catch((error: unknown) => {
        if (error instanceof PerchError) return undefined;
        throw error;
      });
      expect(answer !== undefined, "the code gives a token").toBe(isGood);
      if (answer !== undefined) {
        code.state = "used";
        code.produced = begun(code.person, "extension", { id: answer.me.session.id, token: answer.token }, now);
        model.credentials.push(code.produced);
      } else if (code.produced !== undefined) {
        const { produced } = code;
        end(model, code.person, (one) => one === produced, now);
      } else if (code.state === "open" && now < code.diesAt) code.state = "gone";
    },
  ),
  step(
    "prove anew",
    (model, now) => sessionsOf(model, now),
    async (_model, { server, db }, session) => {
      const proof = { authenticatedAt: new Date(server.clock.now()), method: "password" } as const;
      const { userId } = session.person;
      const token = await db.tx((tx) => server.sessions.renew(tx, { userId, id: sessionIdOf(session) }, proof));
      session.dead.push(session.token);
      session.token = token ?? "";
    },
  ),
  step(
    "sign out",
    (model, now) => sessionsOf(model, now),
    async (model, real, session) => {
      await real.server.sessions.signOut(await actorOf(real, session));
      end(model, session.person, (one) => one === session, real.server.clock.now());
    },
  ),
  step(
    "revoke the others",
    (model, now) => sessionsOf(model, now),
    async (model, real, session) => {
      await real.server.sessions.revokeOthers(await actorOf(real, session));
      end(model, session.person, (one) => one !== session, real.server.clock.now());
    },
  ),
  step(
    "change the password",
    (model, now) => sessionsOf(model, now),
    async (model, real, session) => {
      await real.server.credentials.changePassword(await actorOf(real, session), { password: PASSWORD });
      end(model, session.person, (one) => one !== session, real.server.clock.now());
    },
  ),
  step("reset the password", living, async (model, { server }, person) => {
    server.clock.advance(10 * MINUTE_MS);
    await server.accounts.requestReset({ email: person.email }, about);
    const link = (await server.linksTo(person.email)).find((text) => text.includes("/reset/new"));
    const token = new URL(link ?? "").searchParams.get("token") ?? "";
    await server.accounts.reset({ token, password: PASSWORD }, about);
    end(model, person, () => true, server.clock.now());
  }),
  step("make an API token", living, async (model, { server, db }, person) => {
    const now = server.clock.now();
    const teamId = model.roles.has(person.userId) ? model.shared : person.home;
    const made = await db.tx((tx) =>
      server.sessions.createApiToken(tx, { userId: person.userId, teamId, name: "t", scopes: ["account"], days: 30 }),
    );
    const times = { seenAt: now, idleAt: Number.POSITIVE_INFINITY, longestAt: now + 30 * DAY_MS };
    model.credentials.push({ kind: "api", ...made, person, teamId, dead: [], isEnded: false, ...times });
  }),
  step(
    "revoke an API token",
    (model, now) => model.credentials.filter((one) => one.kind === "api" && works(model, one, now)),
    async (model, real, token) => {
      const actor = await actorOf(real, token);
      const scope = teamScope({ ...actor, role: "owner" }, "team:view");
      if (scope === undefined) throw new Error("no scope");
      if (actor.credential.kind === "token") await real.server.apiTokens.revoke(actor, scope, actor.credential.id);
      token.isEnded = true;
      model.told.add(token.id);
    },
  ),
  step("change a role", living, async (model, { db }, person) => {
    const { teamMembers } = db.t;
    if (!model.roles.has(person.userId)) return;
    const role: Role = model.roles.get(person.userId) === "admin" ? "viewer" : "admin";
    model.roles.set(person.userId, role);
    const membership = and(eq(teamMembers.teamId, model.shared), eq(teamMembers.userId, person.userId));
    await db.tx((tx) => tx.update(teamMembers).set({ role }).where(membership));
  }),
  step("remove a member", living, async (model, { db }, person) => {
    const { teamMembers } = db.t;
    model.roles.delete(person.userId);
    const membership = and(eq(teamMembers.teamId, model.shared), eq(teamMembers.userId, person.userId));
    await db.tx((tx) => tx.delete(teamMembers).where(membership));
  }),
  step("delete an account", living, async (_model, { server, db }, person) => {
    const { users } = db.t;
    person.isDeleted = true;
    const deletedAt = new Date(server.clock.now());
    await db.tx((tx) => tx.update(users).set({ deletedAt }).where(eq(users.id, person.userId)));
  }),
  step(
    "let time pass",
    () => [MINUTE_MS / 2, MINUTE_MS, TOUCH_MS, DAY_MS, 13 * DAY_MS, SESSION_IDLE_MS, 20 * DAY_MS],
    async (_model, { server }, ms) => server.clock.advance(ms),
  ),
  step("sweep", living, async (model, { server }) => {
    const now = server.clock.now();
    await server.sessions.endExpired(500);
    for (const one of model.credentials) {
      if (one.kind === "api" || one.isEnded || isInTime(one, now)) continue;
      one.isEnded = true;
      model.told.add(one.id);
    }
  }),
];

function sessionIdOf({ id }: Credential): SessionId {
  if (!isSessionId(id)) throw new Error("An API token is no session.");
  return id;
}

describe("the state machine of sessions", () => {
  let test: TestDatabase;
  let server: TestPages;
  const heard: CredentialId[] = [];
  beforeAll(async () => {
    test = await testSqlite.open();
    server = startPages(test.db, { passwords: QUICK_PASSWORDS });
    server.sessions.onEnded((id) => heard.push(id));
  });
  afterAll(() => test.dispose());

  async function setUp(): Promise<{ model: Model; real: Real }> {
    const { db } = test;
    const { teams, teamMembers } = db.t;
    heard.length = 0;
    const shared = newId("team");
    const createdAt = new Date(server.clock.now());
    await db.tx((tx) => tx.insert(teams).values({ id: shared, name: "Shared", createdAt }));
    const people: Person[] = [];
    for (const role of ["admin", "viewer"] as const) {
      const email = `${newId("user").toLowerCase()}@x.example`;
      await server.accounts.create({ email, password: PASSWORD }, "operator");
      const made = await server.accounts.findByEmail(email);
      if (made === undefined) throw new Error("no account");
      const joinedAt = new Date(createdAt.getTime() + 1);
      await db.tx((tx) => tx.insert(teamMembers).values({ teamId: shared, userId: made.user.id, role, joinedAt }));
      people.push({ userId: made.user.id, email, home: made.teamId, isDeleted: false });
    }
    const roles = new Map<UserId, Role>(people.map(({ userId }, n) => [userId, n === 0 ? "admin" : "viewer"]));
    return {
      model: { people, shared, roles, credentials: [], codes: [], told: new Set() },
      real: { server, db, heard },
    };
  }

  it("lets no token outlive its cause, whatever happens in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands(STEPS, { maxCommands: 40, size: "+1" }), async (steps) => {
        await fc.asyncModelRun(setUp, steps);
      }),
      { numRuns: 25 },
    );
  });
});
