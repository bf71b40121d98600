/** People, teams and factors around an owner: what the account, token and team calls of the authorisation matrix are about. */
import { randomBytes } from "node:crypto";
import { TOTP } from "otpauth";
import type { Role } from "../shared/access.ts";
import { type ApiTokenId, dataRequestId, newId, statementId, type TeamId, type UserId } from "../shared/ids.ts";
import { call, signIn, type TestPerson, type TestServer } from "./testing.ts";

export type People = Awaited<ReturnType<typeof peopleAround>>;

/**
 * A member, another team of the owner's, invitations both ways, a token, a passkey, a copy of their data, and a decision
 * about the owner; for one call, what it may be about.
 */
export async function peopleAround(server: TestServer, owner: TestPerson, path?: string) {
  const isAbout = (area: string) => path === undefined || path.startsWith(`${area}.`);
  return {
    ...NOBODY,
    ...(isAbout("teams") && (await teamed())),
    ...(isAbout("tokens") && { tokenId: await tokenOf(server, owner) }),
    ...(isAbout("account") && {
      passkeyId: await passkeyOf(server, owner.userId),
      decisionId: await decisionAbout(server, owner.userId),
    }),
    ...(isAbout("privacy") && {
      ...(await askedAndStated(server, owner)),
      exportId: await exportOf(server, owner.userId),
    }),
    code: "123456",
    /** Of the caller, who types it to delete the account. */
    ownAddress: addressOf(owner.userId),
  };

  async function teamed() {
    return {
      memberId: (await signIn(server, "viewer", owner.teamId)).userId,
      otherTeamId: await joinAnother(server, owner.userId),
      invitationId: await invited(server, owner, "new@people.example"),
      receivedId: await receivedBy(server, owner.userId),
    };
  }
}

/** Ids of what is not there. */
export const NOBODY = {
  ...{ memberId: newId("user"), otherTeamId: newId("team"), invitationId: newId("invitation") },
  ...{ receivedId: newId("invitation"), tokenId: newId("apiToken"), passkeyId: newId("passkey") },
  ...{ decisionId: newId("decision"), dataRequestId: newId("dataRequest"), statementId: newId("statement") },
  exportId: newId("dataExport"),
};

/** Makes the caller ready for a call that is about them: what it names is theirs, and the state it needs is there. */
export async function readyFor(
  server: TestServer,
  path: string,
  people: People,
  person: TestPerson,
  role: Role,
): Promise<People> {
  const { userId, teamId } = person;
  switch (path) {
    case "account.renamePasskey":
    case "account.removePasskey":
      return { ...people, passkeyId: await passkeyOf(server, userId) };
    case "account.contest":
      return { ...people, decisionId: await decisionAbout(server, userId) };
    case "privacy.revokeExport":
    case "privacy.downloadExport":
      return { ...people, exportId: await exportOf(server, userId) };
    case "account.confirmTotp":
      return { ...people, code: await begunCode(server, person) };
    case "account.newBackupCodes":
    case "account.removeTotp": {
      const code = await begunCode(server, person);
      await call(server, "mutation", "account.confirmTotp", { code }, person.token);
      return people;
    }
    case "privacy.revokeRequest":
    case "privacy.removeStatement":
      return { ...people, ...(await askedAndStated(server, person)) };
    case "tokens.revoke":
      return { ...people, tokenId: await tokenOf(server, person) };
    case "teams.switch":
      return { ...people, otherTeamId: await joinAnother(server, userId) };
    case "teams.acceptInvitation":
    case "teams.declineInvitation":
      return { ...people, receivedId: await receivedBy(server, userId) };
    case "privacy.delete":
      // An only owner would have to say what becomes of the team.
      if (role === "owner") await signIn(server, "owner", teamId);
      return { ...people, ownAddress: addressOf(userId) };
    case "privacy.undoDelete":
      await askedToDelete(server, userId);
      return people;
    case "teams.leave":
      // Nobody leaves their only team, and no team its only owner.
      await joinAnother(server, userId);
      if (role === "owner") await signIn(server, "owner", teamId);
      return people;
    default:
      return people;
  }
}

/** Of a person of `signIn`. */
function addressOf(userId: UserId): string {
  return `${userId.toLowerCase()}@x.example`;
}

async function askedToDelete(server: TestServer, userId: UserId): Promise<void> {
  const askedAt = new Date(server.clock.now());
  const purgeAt = new Date(askedAt.getTime() + 7 * 24 * 60 * 60_000);
  const row = { id: newId("erasure"), userId, state: "grace", askedAt, purgeAt } as const;
  await server.db.tx((tx) => tx.insert(server.db.t.erasures).values(row));
}

async function joinAnother(server: TestServer, userId: UserId): Promise<TeamId> {
  const { teamId } = await signIn(server);
  const joinedAt = new Date(server.clock.now() + 1);
  await server.db.tx((tx) => tx.insert(server.db.t.teamMembers).values({ teamId, userId, role: "viewer", joinedAt }));
  return teamId;
}

async function receivedBy(server: TestServer, userId: UserId) {
  return invited(server, await signIn(server), `${userId.toLowerCase()}@x.example`);
}

async function invited(server: TestServer, inviter: TestPerson, email: string) {
  const id = newId("invitation");
  const createdAt = new Date(server.clock.now());
  await server.db.tx((tx) =>
    tx.insert(server.db.t.teamInvitations).values({
      ...{
        id,
        teamId: inviter.teamId,
        email,
        emailIndex: email,
        emailShown: email,
        role: "viewer",
        invitedBy: inviter.userId,
      },
      ...{ tokenHash: randomBytes(32).toString("base64url"), createdAt },
      expiresAt: new Date(createdAt.getTime() + 14 * 24 * 60 * 60_000),
    }),
  );
  return id;
}

async function tokenOf(server: TestServer, { userId, teamId }: TestPerson): Promise<ApiTokenId> {
  const made = { userId, teamId, name: "theirs", scopes: ["phones:view"] } as const;
  return (await server.db.tx((tx) => server.accounts.sessions.createApiToken(tx, made))).id;
}

async function passkeyOf(server: TestServer, userId: UserId) {
  const id = newId("passkey");
  const credentialId = randomBytes(16).toString("base64url");
  await server.db.tx((tx) =>
    tx.insert(server.db.t.passkeys).values({
      ...{ id, userId, credentialId, publicKey: randomBytes(32), counter: 0, transports: [], backedUp: false },
      ...{ name: "Key", createdAt: new Date(server.clock.now()) },
    }),
  );
  return id;
}

async function decisionAbout(server: TestServer, userId: UserId) {
  const id = newId("decision");
  await server.db.tx((tx) =>
    tx.insert(server.db.t.decisions).values({
      ...{ id, userId, kind: "sign_up", action: "allow", state: "in_force" },
      ...{
        score: 40,
        signals: [{ signal: "disposable_address", weight: 40 }],
        createdAt: new Date(server.clock.now()),
      },
    }),
  );
  return id;
}

/** A request about their data that waits for an answer, and a statement. */
async function askedAndStated(server: TestServer, { token }: TestPerson) {
  const done = async (path: string, input: unknown) => {
    const answer = await call(server, "mutation", path, input, token);
    if (!answer.ok) throw new Error(answer.error.message);
    return (answer.data as { id: string }).id;
  };
  const asked = { kind: "rectify", text: "My name is Ana.", idempotencyKey: newId("job") };
  const stated = { category: "user.behavior", text: "It was not me." };
  return {
    dataRequestId: dataRequestId.parse(await done("privacy.request", asked)),
    statementId: statementId.parse(await done("privacy.dispute", stated)),
  };
}

/** A copy of the person's data that is ready, without its archive. */
async function exportOf(server: TestServer, userId: UserId) {
  const id = newId("dataExport");
  const askedAt = new Date(server.clock.now());
  await server.db.tx((tx) =>
    tx.insert(server.db.t.dataExports).values({
      ...{ id, userId, state: "ready", askedAt, readyAt: askedAt, sealedKey: "sealed", idempotencyKey: id },
      expiresAt: new Date(askedAt.getTime() + 7 * 24 * 3_600_000),
    }),
  );
  return id;
}

/** A code of an app that is set up and not confirmed yet. */
async function begunCode(server: TestServer, { token }: TestPerson): Promise<string> {
  const begun = await call(server, "mutation", "account.beginTotp", undefined, token);
  if (!begun.ok) throw new Error(begun.error.message);
  const { secret } = begun.data as { secret: string };
  return new TOTP({ secret }).generate({ timestamp: server.clock.now() });
}
