import { createHash, randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { newId } from "../../shared/ids.ts";
import { describeProcedures } from "../authz.ts";
import { TEST_ENGINES, type TestDatabase, testSqlite } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import { requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import type { Actor } from "../teams/team-scope.ts";
import { redirectOriginsOf } from "./connect.service.ts";

const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/connected`;
const about = requestInfo();

/** What an extension makes before it starts: verifier, challenge and the query. */
function begin(redirectUri = REDIRECT) {
  const verifier = randomBytes(32).toString("base64url");
  const query = {
    response_type: "code",
    client_id: "perch-extension",
    redirect_uri: redirectUri,
    state: randomBytes(16).toString("base64url"),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  };
  return { verifier, query };
}

describe.each(TEST_ENGINES)("connect flow on $name", (engine) => {
  let test: TestDatabase;
  let server: TestPages;
  let actor: Actor;
  beforeAll(async () => {
    test = await engine.open();
    server = startPages(test.db);
    await server.accounts.create({ email: "c@x.example", password: "blaue gurken tanzen" }, "operator");
    const { token } = await server.signedIn("c@x.example", "blaue gurken tanzen");
    const found = await server.sessions.find(token, about);
    if (found === undefined || found === "ended") throw new Error("no session");
    actor = found;
  });
  afterAll(() => test.dispose());

  const approved = async (teamId?: string) => {
    const { verifier, query } = begin();
    const url = new URL(await server.connect.approve(server.connect.parse(query), actor, teamId));
    expect(url.origin + url.pathname).toBe(REDIRECT);
    expect(url.searchParams.get("state")).toBe(query.state);
    return { verifier, code: url.searchParams.get("code") ?? "" };
  };
  const exchange = (code: string, verifier: string, redirectUri = REDIRECT, present?: Actor) =>
    server.connect.exchange({ code, verifier, redirectUri, timeZone: "Europe/Berlin" }, about, present);
  const refused = (work: Promise<unknown>) =>
    expect(work).rejects.toSatisfy((error) => error instanceof PerchError && error.code === "unauthenticated");

  it("gives a token of its own for code, verifier and redirect", async () => {
    const { verifier, code } = await approved();
    const { token, me } = await exchange(code, verifier);
    expect(token).toMatch(/^cp_[\w-]{43}$/);
    expect(me).toMatchObject({ user: { email: "c@x.example" }, limits: { phones: 10, running: 4 } });
    const found = await server.sessions.find(token, about);
    expect(found).toMatchObject({ credential: { kind: "session", web: false }, userId: actor.userId });
    const mine = (await server.sessions.list(actor)).find(({ id }) => id === me.session.id);
    expect(mine).toMatchObject({ kind: "extension", timeZone: "Europe/Berlin", current: false });
  });

  it("works in the team that was chosen, as long as the person is in it", async () => {
    const { teams, teamMembers } = test.db.t;
    const [second, foreign] = [newId("team"), newId("team")];
    const at = new Date(server.clock.now() + 1);
    await test.db.tx(async (tx) => {
      for (const id of [second, foreign]) await tx.insert(teams).values({ id, name: "Other", createdAt: at });
      await tx.insert(teamMembers).values({ teamId: second, userId: actor.userId, role: "viewer", joinedAt: at });
    });
    const chosen = await approved(second);
    expect((await exchange(chosen.code, chosen.verifier)).me.team).toMatchObject({ id: second, role: "viewer" });
    const usual = await approved();
    expect((await exchange(usual.code, usual.verifier)).me.team.id).toBe(actor.teamId);
    await expect(approved(foreign)).rejects.toMatchObject({ code: "bad_input" });
    const left = await approved(second);
    await test.db.tx((tx) => tx.delete(teamMembers).where(eq(teamMembers.teamId, second)));
    expect((await exchange(left.code, left.verifier)).me.team.id).toBe(actor.teamId);
  });

  it("ABUSE-06 a fresh proof goes on with the same session under a new token, and the old one is dead", async () => {
    const first = await approved();
    const { token: old, me } = await exchange(first.code, first.verifier);
    const present = await server.sessions.find(old, about);
    if (present === undefined || present === "ended") throw new Error("no session");
    const again = await approved();
    const renewed = await exchange(again.code, again.verifier, REDIRECT, present);
    expect(renewed.token).not.toBe(old);
    expect(renewed.me.session.id).toBe(me.session.id);
    expect(await server.sessions.find(old, about)).toBeUndefined();
    expect(await server.sessions.find(renewed.token, about)).toMatchObject({ userId: actor.userId });
    const others = await approved();
    const stranger = { ...present, userId: newId("user") };
    const made = await exchange(others.code, others.verifier, REDIRECT, stranger);
    expect(made.me.session.id).not.toBe(me.session.id);
  });

  it("ABUSE-10 a code that was not used yet dies with the session that approved it", async () => {
    const { token } = await server.signedIn("c@x.example", "blaue gurken tanzen");
    const found = await server.sessions.find(token, about);
    if (found === undefined || found === "ended") throw new Error("no session");
    const { verifier, code } = await approved();
    await server.sessions.signOut(found);
    await refused(exchange(code, verifier));
  });

  it("says no in the flow's own words", () => {
    const { query } = begin();
    const url = new URL(server.connect.decline(server.connect.parse(query)));
    expect(url.searchParams.get("error")).toBe("access_denied");
    expect(url.searchParams.get("state")).toBe(query.state);
    expect(url.searchParams.get("code")).toBeNull();
  });

  it("ABUSE-10 a wrong verifier gets nothing, and there is no second guess", async () => {
    const { verifier, code } = await approved();
    await refused(exchange(code, randomBytes(32).toString("base64url")));
    await refused(exchange(code, verifier));
  });

  it("ABUSE-10 a code is bound to its redirect", async () => {
    const { verifier, code } = await approved();
    const [, firefox] = redirectOriginsOf([CHROME_EXTENSION_ID]);
    await refused(exchange(code, verifier, `${firefox}/connected`));
  });

  it("ABUSE-10 a second use ends what the first produced", async () => {
    const { verifier, code } = await approved();
    const { token, me } = await exchange(code, verifier);
    const ended: string[] = [];
    const stop = server.sessions.onEnded((id) => ended.push(id));
    await refused(exchange(code, verifier));
    stop();
    expect(ended).toEqual([me.session.id]);
    expect(await server.sessions.find(token, about)).toBe("ended");
  });

  it("ABUSE-10 of eight exchanges at once at most one gets a token, and it is dead", async () => {
    const { verifier, code } = await approved();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => exchange(code, verifier)));
    const tokens = results.flatMap((result) => (result.status === "fulfilled" ? [result.value.token] : []));
    expect(tokens.length).toBeLessThanOrEqual(1);
    for (const token of tokens) expect(await server.sessions.find(token, about)).toBe("ended");
  });

  it("ABUSE-10 a code dies after 60 seconds", async () => {
    const { verifier, code } = await approved();
    server.clock.advance(60_000);
    await refused(exchange(code, verifier));
    await refused(exchange("A".repeat(43), verifier));
  });
});

describe("redirect allow-list", () => {
  let test: TestDatabase;
  let server: TestPages;
  beforeAll(async () => {
    const [sqlite] = TEST_ENGINES;
    if (sqlite === undefined) throw new Error("no engine");
    test = await sqlite.open();
    server = startPages(test.db);
  });
  afterAll(() => test.dispose());
  const accepts = (redirectUri: string) => {
    try {
      server.connect.parse(begin(redirectUri).query);
      return true;
    } catch (error) {
      expect(error).toBeInstanceOf(PerchError);
      return false;
    }
  };

  it("holds exactly the computed origins of both browsers", () => {
    // sha1 of "perch@perch.invalid", as Firefox computes it for `identity.getRedirectURL`.
    const firefox = createHash("sha1").update("perch@perch.invalid").digest("hex");
    expect(server.connect.redirectOrigins).toEqual([
      `https://${CHROME_EXTENSION_ID}.chromiumapp.org`,
      `https://${firefox}.extensions.allizom.org`,
    ]);
    expect(accepts(REDIRECT)).toBe(true);
    expect(accepts(`https://${firefox}.extensions.allizom.org/`)).toBe(true);
  });

  it.each([
    "https://evil.test/",
    `http://${CHROME_EXTENSION_ID}.chromiumapp.org/`,
    `https://${"a".repeat(32)}.chromiumapp.org/`,
    `https://${CHROME_EXTENSION_ID}.chromiumapp.org.evil.test/`,
    `https://${CHROME_EXTENSION_ID}.chromiumapp.org:444/`,
    `https://user@${CHROME_EXTENSION_ID}.chromiumapp.org/`,
    `https://${CHROME_EXTENSION_ID}.chromiumapp.org/?next=https://evil.test`,
    `https://${CHROME_EXTENSION_ID}.chromiumapp.org/#x`,
    `https://evil.test\\@${CHROME_EXTENSION_ID}.chromiumapp.org/`,
    `chrome-extension://${CHROME_EXTENSION_ID}/`,
    "javascript:alert(1)",
  ])("refuses %s", (redirectUri) => {
    expect(accepts(redirectUri)).toBe(false);
  });

  it("never lets an address through whose origin is not on the list", () => {
    fc.assert(
      fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (url) => {
        expect(accepts(url)).toBe(false);
      }),
    );
  });

  it.each(["plain", "s256"])("refuses the challenge method %s and unknown or missing parameters", (method) => {
    const { query } = begin();
    expect(() => server.connect.parse({ ...query, code_challenge_method: method })).toThrow(PerchError);
    expect(() => server.connect.parse({ ...query, extra: "1" })).toThrow(PerchError);
    const { state: _, ...withoutState } = query;
    expect(() => server.connect.parse(withoutState)).toThrow(PerchError);
  });
});

describe("device codes", () => {
  it("ABUSE-11 there is no way in by a typed code: no page, no procedure, no grant", async () => {
    const test = await testSqlite.open();
    const server = startPages(test.db);
    for (const path of ["/device", "/device/code", "/device_authorization", "/activate", "/link", "/connect/device"]) {
      expect((await server.browser().get(path)).status, path).toBe(404);
      expect((await server.browser().post(path, { user_code: "WDJB-MJHT" })).status, path).toBe(404);
    }
    expect(describeProcedures().filter(({ path }) => /device|userCode|activate/i.test(path))).toEqual([]);
    const { query } = begin();
    expect(() => server.connect.parse({ ...query, response_type: "device_code" })).toThrow(PerchError);
    await test.dispose();
  });
});
