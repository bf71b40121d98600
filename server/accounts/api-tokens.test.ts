/** API tokens of a team: who sees, makes and revokes which, on every engine. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiTokenId, newId } from "../../shared/ids.ts";
import { TEST_ENGINES, type TestDatabase } from "../db/testing.ts";
import { PerchError } from "../errors.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "../http/pages/testing.ts";
import { type Actor, teamScope } from "../teams/team-scope.ts";

const PASSWORD = "blaue gurken tanzen";
const DAY_MS = 24 * 3_600_000;
const about = requestInfo();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof PerchError ? error.code : String(error)),
  );

describe.each(TEST_ENGINES)("API tokens on $name", (engine) => {
  let test: TestDatabase;
  let server: TestPages;
  beforeAll(async () => {
    test = await engine.open();
  });
  beforeEach(() => {
    server = startPages(test.db, { passwords: QUICK_PASSWORDS });
  });
  afterAll(() => test.dispose());

  const member = async (email: string) => {
    await server.accounts.create({ email, password: PASSWORD, fullName: "Ada" }, "operator");
    const { token } = await server.signedIn(email, PASSWORD);
    const actor = await server.sessions.find(token, about);
    if (actor === undefined || actor === "ended") throw new Error("no actor");
    const scope = teamScope(actor, "team:view");
    if (scope === undefined) throw new Error("no scope");
    return { actor, scope };
  };

  it("ends what an API token that is revoked holds open, for its maker and for who manages the team", async () => {
    const { actor, scope } = await member("tokens@x.example");
    const made = await server.apiTokens.create(actor, scope, {
      ...{ name: "CI", scopes: ["phones:control", "phones:view", "phones:view"], days: 30 },
    });
    expect(made.view).toMatchObject({
      ...{ name: "CI", prefix: made.token.slice(0, 8), scopes: ["phones:view", "phones:control"] },
      ...{
        createdBy: { id: actor.userId, name: "Ada" },
        expiresAt: new Date(server.clock.now() + 30 * DAY_MS).toISOString(),
      },
    });
    const told = (await server.mail.preview()).filter(({ recipient }) => recipient === "tokens@x.example");
    expect(told.map(({ subject }) => subject)).toContain("A new API token for Perch");
    expect(await server.sessions.find(made.token, about)).toMatchObject({ userId: actor.userId });
    const [listed] = await server.apiTokens.list(actor, scope);
    expect(listed).toEqual({ ...made.view, lastUsedAt: new Date(server.clock.now()).toISOString() });
    const ended: string[] = [];
    server.sessions.onEnded((id) => ended.push(id));
    expect(await codeOf(server.apiTokens.revoke({ ...actor, role: "operator" }, scope, newId("apiToken")))).toBe(
      "not_found",
    );
    const other = { ...actor, userId: newId("user"), role: "operator" } as const;
    expect(await codeOf(server.apiTokens.revoke(other, scope, made.view.id))).toBe("not_found");
    expect(await server.apiTokens.list(other, scope)).toEqual([]);
    await server.apiTokens.revoke({ ...other, role: "admin" }, scope, made.view.id);
    expect(ended).toEqual([made.view.id] satisfies ApiTokenId[]);
    expect(await server.sessions.find(made.token, about)).toBe("ended");
    expect(await server.apiTokens.list(actor, scope)).toEqual([]);
  });

  it("gives an API token no scope its maker's role could never use, and none of a team that is left", async () => {
    const { actor, scope } = await member("scopes@x.example");
    const ask = (role: Actor["role"]) =>
      codeOf(server.apiTokens.create({ ...actor, role }, scope, { name: "t", scopes: ["phones:control"], days: 7 }));
    expect(await ask("viewer")).toBe("bad_input");
    expect(await ask("operator")).toBe("done");
    const token = await server.apiTokens.issue(actor.userId, actor.teamId, { name: "all", days: 7 }, "operator");
    expect(await server.sessions.find(token, about)).toMatchObject({ role: "owner", teamId: actor.teamId });
    await test.db.tx((tx) => tx.update(test.db.t.teamMembers).set({ role: "viewer" }));
    expect(await server.sessions.find(token, about)).toMatchObject({ role: "viewer" });
    await test.db.tx((tx) => tx.delete(test.db.t.teamMembers));
    expect(await server.sessions.find(token, about)).toBeUndefined();
  });
});
